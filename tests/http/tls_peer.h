#pragma once

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <string>

#include "codec/text.h"
#include "crypto/openssl.h"
#include "tests/http/pki.h"
#include "tests/http/raw_connection.h"

namespace portcullis::http::test {

/// A TLS client that can be made to misbehave.
class TlsPeer {
 public:
  struct Options {
    std::string ca_pem;
    const Identity* identity = nullptr;
    int min_version = TLS1_2_VERSION, max_version = TLS1_3_VERSION;
    std::string ciphers = "DEFAULT:@SECLEVEL=0";
    std::string alpn;
    SSL_SESSION* session = nullptr;
  };

  TlsPeer(std::uint16_t port, const Options& options) : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_min_proto_version(context_.get(), options.min_version);
    SSL_CTX_set_max_proto_version(context_.get(), options.max_version);
    SSL_CTX_set_cipher_list(context_.get(), options.ciphers.c_str());
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), ReadCertificate(options.ca_pem).get());
    if (options.identity != nullptr) {
      SSL_CTX_use_certificate(context_.get(), ReadCertificate(options.identity->certificate_pem).get());
      SSL_CTX_use_PrivateKey(context_.get(), ReadKey(options.identity->KeyText()).get());
    }
    if (!options.alpn.empty())
      SSL_CTX_set_alpn_protos(context_.get(), crypto::Octets(AsBytes(options.alpn)),
                              static_cast<unsigned>(options.alpn.size()));
    tls_.reset(SSL_new(context_.get()));
    descriptor_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return;
    SSL_set_fd(tls_.get(), descriptor_);
    if (options.session != nullptr) SSL_set_session(tls_.get(), options.session);
    connected_ = SSL_connect(tls_.get()) == 1;
    ERR_clear_error();
  }
  ~TlsPeer() {
    if (connected_) SSL_shutdown(tls_.get());
    CloseSocket();
  }
  TlsPeer(const TlsPeer&) = delete;

  void CloseSocket() {
    connected_ = false;
    if (descriptor_ >= 0) close(std::exchange(descriptor_, -1));
  }
  bool Write(std::string_view bytes) {
    std::size_t written = 0;
    return connected_ && SSL_write_ex(tls_.get(), bytes.data(), bytes.size(), &written) == 1;
  }
  /// Past TLS.
  void SendRaw(std::string_view bytes) { send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  /// The body of the answer; "" where there is none.
  std::string Ask(std::string_view request) {
    if (!Write(request)) return "";
    const auto response = Next();
    return response ? response->body : "";
  }
  /// The answer to the one request that was sent; nullopt where the connection ends first.
  std::optional<RawResponse> Next() {
    std::string received;
    for (;;) {
      std::size_t offset = 0, got = 0;
      if (auto response = TakeResponse(received, offset)) return response;
      char piece[4096];
      if (SSL_read_ex(tls_.get(), piece, sizeof piece, &got) != 1) return std::nullopt;
      received.append(piece, got);
    }
  }
  /// Says that nothing more will come, and keeps the connection.
  void FinishWriting() { SSL_shutdown(tls_.get()); }

  bool connected() const { return connected_; }
  SSL* tls() { return tls_.get(); }
  std::string protocol() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(tls_.get(), &name, &size);
    return ToText(std::as_bytes(std::span(name, size)));
  }
  std::string server_fingerprint() const {
    const X509* certificate = SSL_get0_peer_certificate(tls_.get());
    unsigned char digest[32];
    if (certificate == nullptr || X509_digest(certificate, EVP_sha256(), digest, nullptr) != 1) return "";
    return codec::EncodeHex(std::as_bytes(std::span(digest)));
  }

 private:
  static crypto::X509Ptr ReadCertificate(const std::string& pem) {
    const crypto::BioPtr in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    return crypto::X509Ptr(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
  }
  static crypto::KeyPtr ReadKey(const std::string& pem) {
    const crypto::BioPtr in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    return crypto::KeyPtr(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
  }

  std::unique_ptr<SSL_CTX, crypto::FreeWith<SSL_CTX_free>> context_;
  std::unique_ptr<SSL, crypto::FreeWith<SSL_free>> tls_;
  int descriptor_ = -1;
  bool connected_ = false;
};

}  // namespace portcullis::http::test

// Which versions and suites a server refuses: held against one that is allowed anything, so that a handshake
// which fails does so for what we restrict, and not for what OpenSSL or the kind of a key does.

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>

#include "http/tls.h"
#include "tests/http/pki.h"

namespace portcullis::http::test {
namespace {

constexpr char kAnything[] = "ALL:COMPLEMENTOFALL:@SECLEVEL=0";

/// The server's end of a connection.
using Endpoint = std::function<SslPtr(int descriptor)>;

template <typename Write>
std::string PemOf(Write write) {
  const crypto::BioPtr out(BIO_new(BIO_s_mem()));
  write(out.get());
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

/// A certificate that signs itself (no client here looks at it), and two servers that show it.
class Shown {
 public:
  explicit Shown(EVP_PKEY* key) : key_(key), certificate_(X509_new()) {
    X509_set_version(certificate_.get(), X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(certificate_.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate_.get()), 3600);
    X509_set_pubkey(certificate_.get(), key);
    X509_sign(certificate_.get(), key, EVP_sha256());

    SSL_CTX_set_cipher_list(permissive_.get(), kAnything);
    SSL_CTX_set_min_proto_version(permissive_.get(), TLS1_VERSION);
    SSL_CTX_set_dh_auto(permissive_.get(), 1);
    SSL_CTX_use_certificate(permissive_.get(), certificate_.get());
    SSL_CTX_use_PrivateKey(permissive_.get(), key);

    ServerOptions options;
    options.name = "test";
    options.certificate_source = [this] {
      const std::string certificate =
          PemOf([this](BIO* out) { PEM_write_bio_X509(out, certificate_.get()); });
      const std::string text = PemOf([this](BIO* out) {
        PEM_write_bio_PrivateKey(out, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
      });
      return std::pair(certificate, std::make_shared<const SecretBytes>(SecretBytes::CopyOf(AsBytes(text))));
    };
    auto opened = ServerTls::Open(options, clock_);
    if (!opened) throw std::runtime_error(opened.error().ToString());
    ours_ = std::move(*opened);
  }

  Endpoint ours() const {
    return [this](int descriptor) {
      SslPtr connection = ours_->NewConnection(descriptor);
      SSL_set_security_level(connection.get(), 0);
      return connection;
    };
  }
  Endpoint permissive() const {
    return [this](int descriptor) {
      SslPtr connection(SSL_new(permissive_.get()));
      SSL_set_fd(connection.get(), descriptor);
      SSL_set_accept_state(connection.get());
      return connection;
    };
  }

 private:
  const KeyPtr key_;
  const X509Ptr certificate_;
  const SystemClock clock_;
  const SslCtxPtr permissive_{SSL_CTX_new(TLS_server_method())};
  std::unique_ptr<ServerTls> ours_;
};

/// The suite that a client which wants just this agrees on with the server; "" where they don't.
std::string Agreed(const Endpoint& server, int version, const char* suites) {
  const SslCtxPtr context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_min_proto_version(context.get(), version);
  SSL_CTX_set_max_proto_version(context.get(), version);
  EXPECT_EQ(SSL_CTX_set_cipher_list(context.get(), suites), 1) << suites;
  SSL_CTX_set_security_level(context.get(), 0);
  int ends[2] = {-1, -1};
  socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends);
  const SslPtr here = server(ends[0]), there(SSL_new(context.get()));
  SSL_set_fd(there.get(), ends[1]);
  SSL_set_connect_state(there.get());
  bool agreed = false;
  for (int step = 0; step < 10 && !agreed; ++step) {
    const bool client = SSL_do_handshake(there.get()) == 1;
    agreed = SSL_do_handshake(here.get()) == 1 && client;
  }
  for (const int end : ends) close(end);
  ERR_clear_error();
  return agreed ? SSL_get_cipher_name(here.get()) : "";
}

class TlsProtocol : public ::testing::Test {
 protected:
  const Shown rsa_{EVP_RSA_gen(2048)}, ec_{EVP_EC_gen("P-256")};
};

TEST_F(TlsProtocol, RefusesOlderVersions) {
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    EXPECT_NE(Agreed(ec_.permissive(), version, kAnything), "") << version;
    EXPECT_EQ(Agreed(ec_.ours(), version, kAnything), "") << version;
  }
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION})
    EXPECT_NE(Agreed(ec_.ours(), version, kAnything), "") << version;
}

TEST_F(TlsProtocol, RefusesWeakSuites) {
  const auto expect_refused = [](const Shown& shown, std::initializer_list<const char*> suites) {
    for (const char* suite : suites) {
      EXPECT_EQ(Agreed(shown.permissive(), TLS1_2_VERSION, suite), suite);
      EXPECT_EQ(Agreed(shown.ours(), TLS1_2_VERSION, suite), "") << suite;
    }
  };
  expect_refused(ec_, {"ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-AES128-CCM"});
  expect_refused(rsa_,
                 {"AES128-GCM-SHA256", "AES256-SHA", "ECDHE-RSA-AES256-SHA384", "DHE-RSA-AES128-GCM-SHA256",
                  "AECDH-AES128-SHA", "ECDHE-RSA-NULL-SHA", "NULL-SHA256"});
  for (const char* suite : {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"})
    EXPECT_EQ(Agreed(ec_.ours(), TLS1_2_VERSION, suite), suite);
  EXPECT_EQ(Agreed(rsa_.ours(), TLS1_2_VERSION, "ECDHE-RSA-AES256-GCM-SHA384"),
            "ECDHE-RSA-AES256-GCM-SHA384");
}

}  // namespace
}  // namespace portcullis::http::test

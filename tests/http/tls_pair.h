#pragma once

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <optional>

#include "http/transport.h"
#include "tests/http/pki.h"
#include "tests/http/tls_peer.h"

namespace portcullis::http::test {

/// One TLS connection within one thread: our end as a server makes it, and a client's of plain OpenSSL.
class TlsPair {
 public:
  explicit TlsPair(int version) : client_context_(SSL_CTX_new(TLS_client_method())) {
    const Identity identity = authority_.Server();
    ServerOptions options;
    options.name = "test";
    options.tls = TlsOptions{folder_.Write("tls.crt", identity.certificate_pem),
                             folder_.Write("tls.key", identity.KeyText()), ""};
    auto opened = ServerTls::Open(options, clock_);
    if (!opened) throw std::runtime_error(opened.error().ToString());
    tls_ = std::move(*opened);
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends_);
    server_.emplace(ends_[0], tls_->NewConnection(ends_[0]));

    SSL_CTX_set_min_proto_version(client_context_.get(), version);
    SSL_CTX_set_max_proto_version(client_context_.get(), version);
    SSL_CTX_set_cipher_list(client_context_.get(), "ECDHE-ECDSA-AES128-GCM-SHA256");
    client_.reset(SSL_new(client_context_.get()));
    SSL_set_fd(client_.get(), ends_[1]);
    SSL_set_connect_state(client_.get());
    bool ready = false;
    for (int step = 0; step < 10 && !ready; ++step) {
      const bool client_ready = SSL_do_handshake(client_.get()) == 1;
      ready = server_->Handshake().state == IoState::kDone && client_ready;
    }
    if (!ready) throw std::runtime_error("there is no handshake");
  }
  ~TlsPair() {
    for (const int end : ends_) close(end);
  }
  TlsPair(const TlsPair&) = delete;

  Transport& server() { return *server_; }
  SSL* client() { return client_.get(); }
  /// Sends bytes as they are. False where they don't all fit.
  bool SendRaw(std::string_view bytes) {
    return send(ends_[1], bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  /// What our end has not yet taken from the socket.
  std::size_t unread() const {
    int bytes = 0;
    ioctl(ends_[0], FIONREAD, &bytes);
    return static_cast<std::size_t>(bytes);
  }
  IoState Read() {
    char piece[4096];
    return server_->Read(piece).state;
  }

 private:
  const Authority authority_;
  const TemporaryFolder folder_;
  const SystemClock clock_;
  std::unique_ptr<ServerTls> tls_;
  int ends_[2] = {-1, -1};
  std::optional<Transport> server_;
  SslCtxPtr client_context_;
  SslPtr client_;
};

}  // namespace portcullis::http::test

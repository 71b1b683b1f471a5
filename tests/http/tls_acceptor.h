#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "http/tls.h"
#include "tests/http/pki.h"

namespace portcullis::http::test {

/// A TLS server that answers each request by a test's script.
class TlsAcceptor {
 public:
  using Send = std::function<bool(std::string_view bytes)>;  // false where the client has gone
  using Script = std::function<void(const Send& send)>;

  TlsAcceptor(int max_version, Script script)
      : script_(std::move(script)), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
    const Identity identity = authority_.Server();
    const auto credentials = ReadCredentials(identity.certificate_pem, *identity.key_pem);
    if (!credentials || !UseCredentials(context_.get(), *credentials))
      throw std::runtime_error("the certificate can't be used");
    SSL_CTX_set_max_proto_version(context_.get(), max_version);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 5) != 0)
      throw std::runtime_error("no port");
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~TlsAcceptor() { Join(); }
  TlsAcceptor(const TlsAcceptor&) = delete;

  std::uint16_t port() const { return port_; }
  const std::string& ca_pem() const { return authority_.pem(); }
  int connections() const { return connections_; }
  /// Takes no other connection, and waits until the clients have closed theirs.
  void Join() {
    if (!thread_.joinable()) return;
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
    for (std::thread& connection : threads_) connection.join();
  }

 private:
  void Serve() {
    for (int descriptor; (descriptor = accept(listener_, nullptr, nullptr)) >= 0;) {
      ++connections_;
      threads_.emplace_back([this, descriptor] { Answer(descriptor); });
    }
  }
  void Answer(int descriptor) {
    const SslPtr connection(SSL_new(context_.get()));
    SSL_set_fd(connection.get(), descriptor);
    if (SSL_accept(connection.get()) == 1)
      while (ReadRequest(connection.get()))
        script_([&](std::string_view bytes) {
          return SSL_write(connection.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
        });
    close(descriptor);
  }
  static bool ReadRequest(SSL* connection) {
    std::string request;
    char piece[4096];
    while (request.find("\r\n\r\n") == std::string::npos) {
      const int got = SSL_read(connection, piece, sizeof piece);
      if (got <= 0) return false;
      request.append(piece, static_cast<std::size_t>(got));
    }
    return true;
  }

  const Authority authority_;
  const Script script_;
  const SslCtxPtr context_{SSL_CTX_new(TLS_server_method())};
  const int listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  std::vector<std::thread> threads_;  // of connections; the acceptor's own, until it ended
  std::thread thread_;
};

}  // namespace portcullis::http::test

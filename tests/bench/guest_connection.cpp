#include "tests/bench/guest_connection.h"

#include <netinet/tcp.h>

namespace portcullis::bench {

using http::test::RawResponse;

RawResponse GuestConnection::Post(const std::string& path, const std::string& cookie,
                                  const std::string& body) {
  std::string request = "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
  if (!cookie.empty()) request += "Cookie: " + cookie + "\r\n";
  request += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  opened_ = false;
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (!peer_ || !peer_->connected()) {
      http::test::TlsPeer::Options options;
      options.ca_pem = ca_pem_;
      peer_ = std::make_unique<http::test::TlsPeer>(port_, options);
      const int on = 1;
      setsockopt(SSL_get_fd(peer_->tls()), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      opened_ = true;
    }
    if (auto response = Exchange(request)) return *response;
    peer_->CloseSocket();
  }
  return {};
}

std::optional<RawResponse> GuestConnection::Exchange(const std::string& request) {
  if (!peer_->Write(request)) return std::nullopt;
  std::string received;
  for (;;) {
    char piece[16384];
    std::size_t got = 0, offset = 0;
    if (SSL_read_ex(peer_->tls(), piece, sizeof piece, &got) != 1) return std::nullopt;
    received.append(piece, got);
    if (auto response = http::test::TakeResponse(received, offset)) return response;
  }
}

std::string CookieOf(const RawResponse& response) {
  constexpr std::string_view kField = "\r\nSet-Cookie: ";
  const auto at = response.head.find(kField);
  if (at == std::string::npos) return "";
  const auto start = at + kField.size();
  return response.head.substr(start, response.head.find(';', start) - start);
}

}  // namespace portcullis::bench

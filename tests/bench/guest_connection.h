#pragma once

#include <memory>
#include <string>

#include "tests/http/tls_peer.h"

namespace portcullis::bench {

/// One TLS connection of a guest, kept between requests: blocking, one write for a request, so that little
/// but the server is in what is timed. Opened again where the server has closed it.
class GuestConnection {
 public:
  GuestConnection(std::uint16_t port, std::string ca_pem) : port_(port), ca_pem_(std::move(ca_pem)) {}

  /// A POST of JSON. The response; one of status 0 where the connection broke twice.
  http::test::RawResponse Post(const std::string& path, const std::string& cookie, const std::string& body);
  /// Whether the last request had to open a connection: its time is then no figure of a kept one.
  bool opened() const { return opened_; }

 private:
  std::optional<http::test::RawResponse> Exchange(const std::string& request);
  const std::uint16_t port_;
  const std::string ca_pem_;
  std::unique_ptr<http::test::TlsPeer> peer_;
  bool opened_ = false;
};

/// The value of the cookie that a response sets, as a Cookie field wants it; "" where there is none.
std::string CookieOf(const http::test::RawResponse& response);

}  // namespace portcullis::bench

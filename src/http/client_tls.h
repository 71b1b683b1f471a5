#pragma once

#include <memory>
#include <optional>
#include <string>

#include "http/client.h"
#include "http/tls.h"

namespace portcullis::http {

/// What a client needs for a handshake, parsed once: a bad certificate is an error at start, not at the first
/// request. Immutable, thread-safe.
class ClientTls {
 public:
  /// `host` is what the server's certificate must name: a DNS name or an IP address.
  /// Error: ConfigurationInvalid.
  static Result<std::shared_ptr<const ClientTls>> Make(const ClientOptions& options, const std::string& host);

  /// Makes a fresh context trust and show this and nothing else. Where that fails, the context trusts nobody.
  void Apply(SSL_CTX* context) const;

 private:
  std::string host_;
  std::vector<X509Ptr> roots_;
  std::optional<Credentials> credentials_;
};

}  // namespace portcullis::http

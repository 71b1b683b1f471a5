#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "http/client.h"

namespace portcullis::endorsement {

/// The network as a port: one GET, no redirects. Thread-safe.
class Fetcher {
 public:
  virtual ~Fetcher() = default;
  /// Any status is a Response. Error: Unreachable, ConfigurationInvalid.
  virtual Result<http::Response> Get(const std::string& url) = 0;
};

/// The CAs that the system trusts, in PEM: what vendors' servers are held to, since what they serve is signed
/// by itself. Error: ConfigurationInvalid.
Result<std::string> SystemTrustStore();

/// https through http::Client: TLS 1.2+, small answers, bounded waiting. One client a host. The hosts are
/// those of the configuration; nothing of evidence ever makes a URL's host or path.
class HttpsFetcher final : public Fetcher {
 public:
  using Connect = std::function<Result<std::shared_ptr<http::Client>>(const http::ClientOptions&)>;
  HttpsFetcher(std::string ca_pem, Connect connect)
      : ca_pem_(std::move(ca_pem)), connect_(std::move(connect)) {}

  Result<http::Response> Get(const std::string& url) override;

 private:
  Result<std::shared_ptr<http::Client>> ClientFor(const std::string& origin);

  const std::string ca_pem_;
  const Connect connect_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<http::Client>> clients_;
};

}  // namespace portcullis::endorsement

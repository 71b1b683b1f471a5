#include "endorsement/fetcher.h"

#include "endorsement/document.h"
#include "endorsement/files.h"

namespace portcullis::endorsement {
namespace {

constexpr std::string_view kScheme = "https://";
constexpr std::string_view kLoopback = "http://";  // http::Client refuses it for any other host
constexpr std::chrono::seconds kTimeout{20};
constexpr std::size_t kMaxTrustStoreBytes = 4u << 20;
constexpr const char* kTrustStores[] = {
    "/etc/ssl/certs/ca-certificates.crt",  // Debian and its like
    "/etc/pki/tls/certs/ca-bundle.crt",    // Fedora and its like
    "/etc/ssl/cert.pem",                   // Alpine
};

}  // namespace

Result<std::string> SystemTrustStore() {
  for (const char* path : kTrustStores)
    if (const auto pem = ReadBounded(path, kMaxTrustStoreBytes)) return ToText(*pem);
  return Error{ReasonCode::kConfigurationInvalid,
               "the system has no trust store; install ca-certificates or name a CA file"};
}

Result<std::shared_ptr<http::Client>> HttpsFetcher::ClientFor(const std::string& origin) {
  const std::lock_guard lock(mutex_);
  auto& client = clients_[origin];
  if (client == nullptr) {
    http::ClientOptions options;
    options.base_url = origin;
    options.ca_pem = ca_pem_;
    options.timeout = kTimeout;
    options.max_response_bytes = kMaxDocumentBytes;
    client = TRY(connect_(options));
  }
  return client;
}

Result<http::Response> HttpsFetcher::Get(const std::string& url) {
  const std::size_t host = url.starts_with(kScheme)     ? kScheme.size()
                           : url.starts_with(kLoopback) ? kLoopback.size()
                                                        : std::string::npos;
  const std::size_t path = host == std::string::npos ? host : url.find('/', host);
  if (path == std::string::npos)
    return Error{ReasonCode::kConfigurationInvalid, "a collateral URL must be https with a path",
                 Quoted(url)};
  const auto client = TRY(ClientFor(url.substr(0, path)));
  return client->Send("GET", url.substr(path), {}, "");
}

}  // namespace portcullis::endorsement

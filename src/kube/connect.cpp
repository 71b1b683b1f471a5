#include <cstdlib>

#include "kube/api_client.h"

namespace portcullis::kube {
namespace {

constexpr const char* kServiceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount/";

const Clock& TheSystemClock() {
  static const SystemClock clock;
  return clock;
}

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

Result<ApiOptions> InClusterOptions() {
  const std::string host = Environment("KUBERNETES_SERVICE_HOST");
  const std::string port = Environment("KUBERNETES_SERVICE_PORT");
  if (host.empty() || port.empty())
    return Error{ReasonCode::kConfigurationInvalid,
                 "KUBERNETES_SERVICE_HOST and _PORT are not set: this is not a pod"};
  const bool ipv6 = host.find(':') != std::string::npos && host.front() != '[';
  ApiOptions options;
  options.url = "https://" + (ipv6 ? "[" + host + "]" : host) + ":" + port;
  options.ca_file = std::string(kServiceAccountFolder) + "ca.crt";
  options.token_file = std::string(kServiceAccountFolder) + "token";
  return options;
}

Result<std::unique_ptr<Api>> Connect(const ApiOptions& options, metrics::Metrics& metrics) {
  Endpoint endpoint;
  endpoint.url = options.url;
  endpoint.ca_file = options.ca_file;
  endpoint.conduct = options.conduct;
  if (!options.token_file.empty())
    endpoint.token = TRY_AT("token", TokenSource::FromFile(options.token_file, TheSystemClock()));
  return ConnectTo(std::move(endpoint), metrics);
}

Result<std::unique_ptr<Api>> ConnectTo(Endpoint endpoint, metrics::Metrics& metrics) {
  ApiConduct conduct = endpoint.conduct;
  auto connection = TRY(Connection::Open(std::move(endpoint), TheSystemClock(), http::Client::Create));
  return std::unique_ptr<Api>(std::make_unique<ApiClient>(std::move(connection), metrics, WaitUnlessStopped,
                                                          RandomFraction, std::move(conduct)));
}

}  // namespace portcullis::kube

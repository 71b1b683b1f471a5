#pragma once

#include <memory>
#include <string>

#include "kube/api_path.h"
#include "kube/backoff.h"
#include "kube/connection.h"
#include "kube/kube.h"

namespace portcullis::kube {

inline constexpr std::string_view kFieldManager = "portcullis";

/// One request to the API server, before it is sent.
struct ApiCall {
  std::string method;
  std::string target;
  std::string content_type = {};
  std::string body = {};
};

/// Api over HTTP. Tries at most as often as its conduct says, and only where the server said to (429, 5xx
/// with Retry-After), the token was refused (once) or a GET was cut (once): a write that may have happened is
/// for the caller to look into.
class ApiClient final : public Api {
 public:
  ApiClient(std::unique_ptr<Connection> connection, metrics::Metrics& metrics, Wait wait, Jitter jitter,
            ApiConduct conduct = {})
      : connection_(std::move(connection)),
        metrics_(metrics),
        wait_(std::move(wait)),
        jitter_(std::move(jitter)),
        conduct_(std::move(conduct)) {}

  Result<codec::Json> Get(const Resource& resource, const ObjectKey& key) override;
  Result<ListPage> List(const Resource& resource, const std::string& namespace_name,
                        const Query& query) override;
  Result<codec::Json> Create(const Resource& resource, const std::string& namespace_name,
                             const codec::Json& object) override;
  Result<codec::Json> Replace(const Resource& resource, const ObjectKey& key,
                              const codec::Json& object) override;
  Result<codec::Json> Patch(const Resource& resource, const ObjectKey& key, std::string_view subresource,
                            PatchType type, const codec::Json& patch) override;
  Result<> Delete(const Resource& resource, const ObjectKey& key, const std::string& uid) override;
  Result<std::string> Watch(const Resource& resource, const std::string& namespace_name, const Query& query,
                            const std::string& resource_version,
                            const std::function<bool(std::string_view, const codec::Json&)>& on_event,
                            const std::atomic<bool>& stop) override;

 private:
  struct Tries {
    unsigned made = 0;
    bool token_renewed = false;
  };
  Result<codec::Json> Send(const ApiCall& call);
  Result<http::Response> SendOnce(const ApiCall& call);
  /// How long to wait before the same call is made again; nullopt where it is not to be.
  std::optional<std::chrono::milliseconds> WaitBeforeRetry(const ApiCall& call,
                                                           const Result<http::Response>& answer,
                                                           Tries& tries);
  bool RenewToken(int status, Tries& tries);

  std::unique_ptr<Connection> connection_;
  metrics::Metrics& metrics_;
  Wait wait_;
  Jitter jitter_;
  const ApiConduct conduct_;
};

/// What Connect() and ConnectKubeconfig() end in: TLS, the system's clock, real waits.
Result<std::unique_ptr<Api>> ConnectTo(Endpoint endpoint, metrics::Metrics& metrics);

}  // namespace portcullis::kube

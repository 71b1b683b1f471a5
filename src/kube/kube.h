#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "codec/json.h"
#include "http/client.h"
#include "metrics/metrics.h"

namespace portcullis::kube {

/// A kind of object on the API server.
struct Resource {
  std::string_view group;  // "" for core
  std::string_view version;
  std::string_view plural;
  std::string_view kind;
};
inline constexpr Resource kPods{"", "v1", "pods", "Pod"};
inline constexpr Resource kSecrets{"", "v1", "secrets", "Secret"};
inline constexpr Resource kRuntimeClasses{"node.k8s.io", "v1", "runtimeclasses", "RuntimeClass"};
inline constexpr Resource kEvents{"events.k8s.io", "v1", "events", "Event"};
inline constexpr Resource kLeases{"coordination.k8s.io", "v1", "leases", "Lease"};
inline constexpr Resource kModelKeys{"portcullis.dev", "v1alpha1", "modelkeys", "ModelKey"};
inline constexpr Resource kReleasePolicies{"portcullis.dev", "v1alpha1", "releasepolicies", "ReleasePolicy"};
inline constexpr Resource kKeyReleases{"portcullis.dev", "v1alpha1", "keyreleases", "KeyRelease"};
inline constexpr Resource kMutatingWebhooks{"admissionregistration.k8s.io", "v1",
                                            "mutatingwebhookconfigurations", "MutatingWebhookConfiguration"};
inline constexpr Resource kValidatingWebhooks{"admissionregistration.k8s.io", "v1",
                                              "validatingwebhookconfigurations",
                                              "ValidatingWebhookConfiguration"};

/// Namespace ("" for cluster-scoped) and name.
struct ObjectKey {
  std::string namespace_name, name;
  auto operator<=>(const ObjectKey&) const = default;
  std::string ToString() const { return namespace_name.empty() ? name : namespace_name + "/" + name; }
};

enum class PatchType : std::uint8_t { kMerge, kJson, kApply };

struct ListPage {
  std::vector<codec::Json> items;
  std::string resource_version;
  std::string continue_token;
};

/// The API server as a port. Errors map by status and Status.reason: NotFound (404 that names an object; one
/// that names none means that the kind is not served, and is Unreachable), Conflict (409, with the reason
/// AlreadyExists or Conflict as `where`), Unauthorized, Forbidden, RequestMalformed (400, 422), Overloaded
/// (429, after retries with Retry-After), Unreachable (5xx, network). 410 Gone is NotFound with `where`
/// "Gone" or "Expired"; see status.h. Thread-safe.
class Api {
 public:
  virtual ~Api() = default;
  virtual Result<codec::Json> Get(const Resource& resource, const ObjectKey& key) = 0;
  /// `namespace_name` "" lists all. `query` has labelSelector, limit, continue, resourceVersion as needed.
  virtual Result<ListPage> List(const Resource& resource, const std::string& namespace_name,
                                const std::vector<std::pair<std::string, std::string>>& query) = 0;
  virtual Result<codec::Json> Create(const Resource& resource, const std::string& namespace_name,
                                     const codec::Json& object) = 0;
  virtual Result<codec::Json> Replace(const Resource& resource, const ObjectKey& key,
                                      const codec::Json& object) = 0;
  /// `subresource` "" or "status". Apply uses fieldManager=portcullis, force.
  virtual Result<codec::Json> Patch(const Resource& resource, const ObjectKey& key,
                                    std::string_view subresource, PatchType type,
                                    const codec::Json& patch) = 0;
  /// Deletes with preconditions.uid where `uid` is not "". NotFound is an Error here; callers decide.
  virtual Result<> Delete(const Resource& resource, const ObjectKey& key, const std::string& uid) = 0;
  /// One watch request from `resource_version`; `on_event(type, object)` for ADDED, MODIFIED, DELETED,
  /// BOOKMARK. Returns the last resourceVersion seen when the stream ends; NotFound with `where` "Expired"
  /// for 410.
  virtual Result<std::string> Watch(const Resource& resource, const std::string& namespace_name,
                                    const std::vector<std::pair<std::string, std::string>>& query,
                                    const std::string& resource_version,
                                    const std::function<bool(std::string_view, const codec::Json&)>& on_event,
                                    const std::atomic<bool>& stop) = 0;
};

/// How patient calls are, watches excepted, and when they may change anything.
struct ApiConduct {
  unsigned max_tries = 5;
  // Below the lease's renew deadline: a server that hangs must not outlast a leadership.
  std::chrono::seconds timeout{7};       // of inactivity
  std::chrono::seconds whole_answer{0};  // of one try; 0 is ten times `timeout`
  /// Asked before each try of a write, which is refused (Unreachable) where it says no: who waited for a
  /// retry may have lost the right meanwhile. Empty: always. Thread-safe.
  std::function<bool()> may_write = {};
};
/// How to reach the API server.
struct ApiOptions {
  std::string url;
  std::string ca_file;
  std::string token_file;  // re-read each minute and at once after a 401
  ApiConduct conduct = {};
};
/// In-cluster options from KUBERNETES_SERVICE_HOST/_PORT and the service-account mount. ConfigurationInvalid.
Result<ApiOptions> InClusterOptions();
/// The subset of a kubeconfig of kubernetes.md 2.8: server, CA, client certificate or token.
/// ConfigurationInvalid; insecure-skip-tls-verify is refused.
Result<std::unique_ptr<Api>> ConnectKubeconfig(const std::string& path, metrics::Metrics& metrics,
                                               ApiConduct conduct = {});
Result<std::unique_ptr<Api>> Connect(const ApiOptions& options, metrics::Metrics& metrics);

}  // namespace portcullis::kube

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "codec/init_data.h"
#include "operator/admission/review.h"

namespace portcullis::control {

/// What guests are told of their broker, beside its URL.
struct BrokerIdentity {
  std::string ca_pem;
  codec::Json signing_key;  // JWK; null while it is not known
  bool operator==(const BrokerIdentity&) const = default;
};

/// What admission decides by, beside the pod itself.
struct AdmissionContext {
  std::vector<std::string> runtime_classes, node_selector_labels;
  std::string agent_image;
  std::string guest_url;
  BrokerIdentity broker;
  /// What other replicas may have written a moment ago; taken by the validating side.
  std::vector<BrokerIdentity> earlier_brokers;
  /// spec.policy of a ReleasePolicy and spec of a ModelKey; nullopt where there is none.
  std::function<std::optional<codec::Json>(const std::string&namespace_name, const std::string&name)> policy,
      model_key;
};

/// Whether the pod asks for a key: it carries the policy or the release-id label, of whatever value.
bool AsksForKey(const codec::Json& pod);

/// A release belongs to one pod: whatever admission writes must not be there before, else a copied or made up
/// pod would carry the release of another. Names each such field. Error: RequestMalformed.
Result<> RefuseBrought(const codec::Json& pod);

/// What can't be confidential is refused, naming the field: no confidential RuntimeClass and no attested-node
/// selector, a debug RuntimeClass, host access. Errors: NotConfidential, HostAccessNotAllowed.
Result<> RequireConfidential(const codec::Json& pod, const AdmissionContext& context);

/// Which key a pod gets.
struct WantedKey {
  std::string policy, key, resource;
  bool direct;  // no Secret: the agent alone delivers
};
/// Errors: PolicyMissing, KeyUnavailable, RequestMalformed (the policy names several keys and the pod none).
Result<WantedKey> ResolveKey(const codec::Json& pod, const std::string& namespace_name,
                             const AdmissionContext& context);

/// A RuntimeClass that names its TEE ("kata-qemu-tdx") starts guests that a policy without rules for it can
/// never release to: said at once, not after the guest has booted. Error: TeeMismatch.
Result<> RequireRulesForTee(const codec::Json& pod, const std::string& namespace_name,
                            const AdmissionContext& context);

/// Mutating admission of a new pod: release id, init-data, agent, volume, environment. Its own result it
/// refuses (RefuseBrought), so it must be called once (reinvocationPolicy: Never).
Admission MutatePod(const AdmissionRequest& request, const AdmissionContext& context, Random& random);

/// Validating admission of the final object and of later changes: what MutatePod wrote must be there and
/// consistent, and never changes. What replicas of another release or with an earlier identity of the broker
/// write is taken too.
Admission ValidatePod(const AdmissionRequest& request, const AdmissionContext& context);

}  // namespace portcullis::control

// What can't be confidential, and which key a pod is to get.
#include <algorithm>

#include "kube/objects.h"
#include "operator/admission/pod_rules.h"

namespace portcullis::control {
namespace {

using codec::Json;

constexpr std::string_view kContainerLists[] = {"initContainers", "containers", "ephemeralContainers"};

bool IsTrue(const Json* value) {
  return value != nullptr && value->if_bool() != nullptr && *value->if_bool();
}

bool SelectsAttestedNode(const Json& pod, const AdmissionContext& context) {
  const Json* selector = pod.At({"spec", "nodeSelector"});
  return selector != nullptr &&
         std::ranges::any_of(context.node_selector_labels,
                             [&](const std::string& label) { return selector->Find(label) != nullptr; });
}

Result<> RefuseHostAccess(const Json& pod) {
  constexpr auto kHost = ReasonCode::kHostAccessNotAllowed;
  for (const std::string_view field : {"hostNetwork", "hostPID", "hostIPC"})
    if (IsTrue(pod.At({"spec", field})))
      return Error{kHost, "the pod shares a namespace with the host", "spec." + std::string(field)};
  if (const Json* volumes = pod.At({"spec", "volumes"}); volumes != nullptr && volumes->if_array() != nullptr)
    for (std::size_t i = 0; i < volumes->if_array()->size(); ++i)
      if ((*volumes->if_array())[i].Find("hostPath") != nullptr)
        return Error{kHost, "the pod mounts a path of the host",
                     "spec.volumes[" + std::to_string(i) + "].hostPath"};
  for (const std::string_view list : kContainerLists) {
    const Json* containers = pod.At({"spec", list});
    if (containers == nullptr || containers->if_array() == nullptr) continue;
    for (std::size_t i = 0; i < containers->if_array()->size(); ++i)
      if (IsTrue((*containers->if_array())[i].At({"securityContext", "privileged"})))
        return Error{kHost, "a container is privileged",
                     "spec." + std::string(list) + "[" + std::to_string(i) + "].securityContext.privileged"};
  }
  return Done{};
}

/// The TEE that a RuntimeClass names between dashes, as those of Confidential Containers do; "" for none.
std::string_view TeeOfRuntimeClass(std::string_view name) {
  while (!name.empty()) {
    const std::size_t dash = name.find('-');
    const std::string_view part = name.substr(0, dash);
    if (part == "snp" || part == "tdx") return part;
    name = dash == std::string_view::npos ? std::string_view() : name.substr(dash + 1);
  }
  return "";
}

}  // namespace

bool AsksForKey(const Json& pod) {
  return pod.At({"metadata", "labels", kube::kPolicyLabel}) != nullptr ||
         pod.At({"metadata", "labels", kube::kReleaseIdLabel}) != nullptr;
}

Result<> RequireConfidential(const Json& pod, const AdmissionContext& context) {
  const std::string_view runtime_class = pod.TextAt({"spec", "runtimeClassName"});
  if (runtime_class.find("debug") != std::string_view::npos ||
      runtime_class.find("devkit") != std::string_view::npos)
    return Error{ReasonCode::kNotConfidential, "a debug RuntimeClass lets the host read the guest",
                 "spec.runtimeClassName: " + Quoted(runtime_class)};
  const bool confidential =
      std::ranges::find(context.runtime_classes, runtime_class) != context.runtime_classes.end();
  if (!confidential && !SelectsAttestedNode(pod, context))
    return Error{
        ReasonCode::kNotConfidential, "the RuntimeClass is not a confidential one",
        "spec.runtimeClassName: " + (runtime_class.empty() ? std::string("not set") : Quoted(runtime_class))};
  return RefuseHostAccess(pod);
}

Result<> RequireRulesForTee(const Json& pod, const std::string& namespace_name,
                            const AdmissionContext& context) {
  const std::string_view runtime_class = pod.TextAt({"spec", "runtimeClassName"});
  const std::string_view tee = TeeOfRuntimeClass(runtime_class);
  const auto policy = context.policy(namespace_name, std::string(kube::LabelOf(pod, kube::kPolicyLabel)));
  const Json* const tees = policy ? policy->Find("tees") : nullptr;
  if (tee.empty() || tees == nullptr || tees->Find(tee) != nullptr) return Done{};
  return Error{ReasonCode::kTeeMismatch, "the policy has no rules for the TEE of this RuntimeClass",
               "spec.runtimeClassName: " + Quoted(runtime_class)};
}

Result<WantedKey> ResolveKey(const Json& pod, const std::string& namespace_name,
                             const AdmissionContext& context) {
  WantedKey wanted;
  wanted.policy = kube::LabelOf(pod, kube::kPolicyLabel);
  const auto policy = wanted.policy.empty() ? std::nullopt : context.policy(namespace_name, wanted.policy);
  if (!policy)
    return Error{ReasonCode::kPolicyMissing, "there is no such ReleasePolicy in the pod's namespace",
                 "metadata.labels[\"portcullis.dev/policy\"]: " + Quoted(wanted.policy)};
  const Json* keys = policy->Find("keys");
  const codec::JsonArray* names = keys == nullptr ? nullptr : keys->if_array();
  if (names == nullptr || names->empty())
    return Error{ReasonCode::kPolicyMissing, "the ReleasePolicy names no key", wanted.policy};
  wanted.key = kube::LabelOf(pod, kube::kKeyLabel);
  if (wanted.key.empty() && names->size() == 1 && names->front().if_string() != nullptr)
    wanted.key = *names->front().if_string();
  if (wanted.key.empty())
    return Error{ReasonCode::kRequestMalformed, "the policy names several keys, so the pod must name one",
                 "metadata.labels[\"portcullis.dev/key\"]"};
  if (std::ranges::find(*names, Json(wanted.key)) == names->end())
    return Error{ReasonCode::kSubjectNotAllowed, "the policy does not cover this key",
                 "metadata.labels[\"portcullis.dev/key\"]: " + Quoted(wanted.key)};
  const auto key = context.model_key(namespace_name, wanted.key);
  if (!key)
    return Error{ReasonCode::kKeyUnavailable, "there is no such ModelKey in the pod's namespace",
                 Quoted(wanted.key)};
  wanted.resource = key->TextAt({"resource"});
  wanted.direct = policy->TextAt({"delivery"}) == "Direct";
  return wanted;
}

}  // namespace portcullis::control

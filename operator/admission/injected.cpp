#include "operator/admission/injected.h"

#include "kube/objects.h"

namespace portcullis::control {

using codec::Json;

namespace {

// Where the pod must not have root and names no user.
constexpr std::int64_t kAgentUserId = 65532;

}  // namespace

Json KeyVolume() {
  // Memory: a key never reaches a disk. 1 MiB holds any key and its JWE.
  return Json::Object(
      {{"name", kKeyVolumeName}, {"emptyDir", Json::Object({{"medium", "Memory"}, {"sizeLimit", "1Mi"}})}});
}

Json KeyMount(bool read_only) {
  Json mount = Json::Object({{"name", kKeyVolumeName}, {"mountPath", kKeyDirectory}});
  if (read_only) mount.Set("readOnly", true);
  return mount;
}

namespace {

Json Arguments(const AgentUser& user) {
  codec::JsonArray arguments{"fetch", "--out", kKeyDirectory};
  if (user.root && user.user.value_or(0) != 0)
    arguments.insert(arguments.end(), {"--owner", std::to_string(*user.user)});
  if (user.group_readable) arguments.push_back("--group-readable");
  return arguments;
}

Json SecurityContext(const AgentUser& user) {
  Json capabilities = Json::Object({{"drop", Json::Array({"ALL"})}});
  if (user.root && user.user.value_or(0) != 0) capabilities.Set("add", Json::Array({"CHOWN"}));
  Json context = Json::Object({{"allowPrivilegeEscalation", false},
                               {"readOnlyRootFilesystem", true},
                               {"capabilities", std::move(capabilities)},
                               {"seccompProfile", Json::Object({{"type", "RuntimeDefault"}})},
                               {"runAsNonRoot", !user.root},
                               {"runAsUser", user.root ? 0 : user.user.value_or(kAgentUserId)}});
  if (!user.root && user.group) context.Set("runAsGroup", *user.group);
  return context;
}

Json InitDataVariable() {
  const std::string field = "metadata.annotations['" + std::string(kube::kInitDataAnnotation) + "']";
  return Json::Object(
      {{"name", "PORTCULLIS_INIT_DATA"},
       {"valueFrom",
        Json::Object({{"fieldRef", Json::Object({{"apiVersion", "v1"}, {"fieldPath", field}})}})}});
}

}  // namespace

Json AgentContainer(const std::string& image, const AgentUser& user) {
  return Json::Object(
      {{"name", kAgentName},
       {"image", image},
       {"args", Arguments(user)},
       {"env", Json::Array({InitDataVariable()})},
       {"resources", Json::Object({{"requests", Json::Object({{"cpu", "10m"}, {"memory", "32Mi"}})},
                                   {"limits", Json::Object({{"memory", "64Mi"}})}})},
       {"securityContext", SecurityContext(user)},
       {"volumeMounts", Json::Array({KeyMount(false)})}});
}

Json SealedKeyVariable(const std::string& release_id) {
  // The gate: kubelet holds the container until this Secret exists.
  return Json::Object(
      {{"name", kSealedKeyVariable},
       {"valueFrom",
        Json::Object({{"secretKeyRef", Json::Object({{"name", kube::SecretNameFor(release_id)},
                                                     {"key", kube::kSealedKeySecretField}})}})}});
}

}  // namespace portcullis::control

#include "operator/admission/injected.h"

#include "kube/objects.h"

namespace portcullis::control {

using codec::Json;

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

Json AgentContainer(const std::string& image) {
  return Json::Object(
      {{"name", kAgentName},
       {"image", image},
       {"args", Json::Array({"fetch", "--out", kKeyDirectory})},
       {"env", Json::Array({Json::Object(
                   {{"name", "PORTCULLIS_INIT_DATA"},
                    {"valueFrom",
                     Json::Object({{"fieldRef",
                                    Json::Object({{"apiVersion", "v1"},
                                                  {"fieldPath", "metadata.annotations['" +
                                                                    std::string(kube::kInitDataAnnotation) +
                                                                    "']"}})}})}})})},
       {"resources", Json::Object({{"requests", Json::Object({{"cpu", "10m"}, {"memory", "32Mi"}})},
                                   {"limits", Json::Object({{"memory", "64Mi"}})}})},
       {"securityContext", Json::Object({{"allowPrivilegeEscalation", false},
                                         {"readOnlyRootFilesystem", true},
                                         {"capabilities", Json::Object({{"drop", Json::Array({"ALL"})}})},
                                         {"seccompProfile", Json::Object({{"type", "RuntimeDefault"}})}})},
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

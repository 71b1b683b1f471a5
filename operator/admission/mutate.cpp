#include <algorithm>

#include "codec/text.h"
#include "crypto/digest.h"
#include "kube/objects.h"
#include "operator/admission/injected.h"
#include "operator/admission/pod_rules.h"

namespace portcullis::control {
namespace {

using codec::Json;

std::string DrawReleaseId(Random& random) {
  ByteBuffer bytes(16);
  random.Fill(bytes);
  return codec::EncodeHex(bytes);
}

Json Operation(std::string_view op, std::string path, Json value) {
  return Json::Object({{"op", op}, {"path", std::move(path)}, {"value", std::move(value)}});
}

/// Adds to a map or list that may not be there yet: JSON Patch makes no parents.
class PatchBuilder {
 public:
  explicit PatchBuilder(const Json& pod) : pod_(pod) {}

  void SetInMap(std::string_view map, std::string_view name, Json value) {
    const Json* existing = pod_.At({"metadata", map});
    const std::string path = "/metadata/" + std::string(map);
    if ((existing == nullptr || !existing->is_object()) && made_.insert(path).second)
      patch_.push_back(Operation("add", path, codec::JsonObject()));
    patch_.push_back(Operation("add", path + "/" + Escape(name), std::move(value)));
  }
  void Add(const std::string& path, Json value) {
    patch_.push_back(Operation("add", path, std::move(value)));
  }
  void AddToList(const std::string& list, bool exists, std::string_view position, Json value) {
    if (!exists && made_.insert(list).second) {
      patch_.push_back(Operation("add", list, Json::Array({std::move(value)})));
      return;
    }
    patch_.push_back(Operation("add", list + "/" + std::string(position), std::move(value)));
  }
  codec::JsonArray Take() { return std::move(patch_); }

 private:
  static std::string Escape(std::string_view name) {
    std::string out;
    for (const char c : name) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    return out;
  }
  const Json& pod_;
  std::set<std::string> made_;
  codec::JsonArray patch_;
};

bool HasList(const Json& value, std::string_view name) {
  const Json* found = value.Find(name);
  return found != nullptr && found->if_array() != nullptr && !found->if_array()->empty();
}

Result<codec::InitData> InitDataFor(const Json& pod, const AdmissionContext& context,
                                    const std::string& release_id, const std::string& namespace_name,
                                    const WantedKey& wanted) {
  std::map<std::string, std::string> entries;
  if (const auto own = kube::AnnotationOf(pod, kube::kInitDataAnnotation); !own.empty()) {
    const auto given = codec::DecodeInitDataAnnotation(own);
    if (!given)
      return Error{ReasonCode::kRequestMalformed, "the init-data annotation is not base64(gzip(TOML))",
                   "metadata.annotations: " + given.error().where};
    entries = given->data;
  }
  entries[std::string(kClaimEntry)] =
      codec::ToText(ClaimFor(pod, context.guest_url, context.broker, release_id, namespace_name, wanted));
  return codec::MakeInitData(entries);
}

void PatchContainers(PatchBuilder& patch, const Json& pod, const std::string& release_id, const Json& agent,
                     bool direct) {
  const Json* spec = pod.Find("spec");
  patch.AddToList("/spec/volumes", HasList(*spec, "volumes"), "-", KeyVolume());
  const codec::JsonArray& containers = *spec->Find("containers")->if_array();
  for (std::size_t i = 0; i < containers.size(); ++i) {
    const std::string path = "/spec/containers/" + std::to_string(i);
    patch.AddToList(path + "/volumeMounts", HasList(containers[i], "volumeMounts"), "-", KeyMount(true));
    if (!direct)
      patch.AddToList(path + "/env", HasList(containers[i], "env"), "-", SealedKeyVariable(release_id));
  }
  patch.AddToList("/spec/initContainers", HasList(*spec, "initContainers"), "0", agent);
}

Admission Deny(Error error) { return {.denial = std::move(error), .patch = {}, .warnings = {}}; }

}  // namespace

Json ClaimFor(const Json& pod, const std::string& guest_url, const BrokerIdentity& broker,
              const std::string& release_id, const std::string& namespace_name, const WantedKey& wanted) {
  std::string_view service_account = pod.TextAt({"spec", "serviceAccountName"});
  if (service_account.empty()) service_account = "default";
  return Json::Object(
      {{"version", 1},
       {"releaseId", release_id},
       {"namespace", namespace_name},
       {"serviceAccount", service_account},
       {"policy", wanted.policy},
       {"key", wanted.key},
       {"resource", wanted.resource},
       {"kbs",
        Json::Object({{"url", guest_url}, {"ca", broker.ca_pem}, {"signingKey", broker.signing_key}})}});
}

Error BrokerUnknown() {
  return {ReasonCode::kUnreachable,
          "the broker's identity is not known yet, so the guest could not be told whom to trust"};
}

Admission MutatePod(const AdmissionRequest& request, const AdmissionContext& context, Random& random) {
  const Json& pod = request.object;
  if (request.operation != "CREATE" || !AsksForKey(pod)) return {};
  if (const auto clean = RefuseBrought(pod); !clean) return Deny(clean.error());
  if (const auto confidential = RequireConfidential(pod, context); !confidential)
    return Deny(confidential.error());
  const auto wanted = ResolveKey(pod, request.namespace_name, context);
  if (!wanted) return Deny(wanted.error());
  if (const auto served = RequireRulesForTee(pod, request.namespace_name, context); !served)
    return Deny(served.error());
  if (context.broker.signing_key.is_null()) return Deny(BrokerUnknown());
  const Json* containers = pod.At({"spec", "containers"});
  if (containers == nullptr || containers->if_array() == nullptr || containers->if_array()->empty())
    return Deny({ReasonCode::kRequestMalformed, "the pod has no containers", "spec.containers"});

  const std::string release_id = DrawReleaseId(random);
  const auto init_data = InitDataFor(pod, context, release_id, request.namespace_name, *wanted);
  if (!init_data) return Deny(init_data.error());
  PatchBuilder patch(pod);
  patch.SetInMap("labels", kube::kReleaseIdLabel, release_id);
  patch.SetInMap("annotations", kube::kInitDataAnnotation, codec::EncodeInitDataAnnotation(*init_data));
  patch.SetInMap("annotations", kube::kInitDataDigestAnnotation,
                 crypto::DigestText(crypto::Sha256(AsBytes(init_data->text))));
  AgentUser user = AgentUserFor(pod);
  PatchContainers(patch, pod, release_id, AgentContainer(context.agent_image, user), wanted->direct);
  return {.denial = {}, .patch = patch.Take(), .warnings = std::move(user.warnings)};
}

}  // namespace portcullis::control

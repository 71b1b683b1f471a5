#include "operator/reconcilers/pod.h"

#include "base/failpoint.h"
#include "base/log.h"
#include "codec/init_data.h"
#include "crypto/digest.h"
#include "kube/objects.h"

namespace portcullis::control {
namespace {

using codec::Json;

constexpr std::string_view kNamePrefix = "portcullis-";
/// The other pod may go, and its KeyRelease with it, without a word to this one.
constexpr std::chrono::minutes kLookAtConflict{1};

/// What init-data says of the pod, read from the annotation: the digest is what was admitted.
Result<Json> SpecFor(const Json& pod, const std::string& release_id) {
  const auto init_data =
      TRY(codec::DecodeInitDataAnnotation(kube::AnnotationOf(pod, kube::kInitDataAnnotation)));
  const auto entry = init_data.data.find("portcullis.json");
  if (entry == init_data.data.end())
    return Error{ReasonCode::kInitDataMismatch, "init-data has no entry portcullis.json"};
  const Json claim = TRY(codec::ParseJson(entry->second, {.max_bytes = 64 * 1024, .max_depth = 8}));
  if (claim.TextAt({"releaseId"}) != release_id)
    return Error{ReasonCode::kInitDataMismatch, "init-data names another release than the pod's label"};
  std::string_view service_account = pod.TextAt({"spec", "serviceAccountName"});
  if (service_account.empty()) service_account = "default";
  return Json::Object({{"releaseId", release_id},
                       {"podName", kube::KeyOf(pod).name},
                       {"podUid", kube::UidOf(pod)},
                       {"serviceAccountName", service_account},
                       {"policyName", kube::LabelOf(pod, kube::kPolicyLabel)},
                       {"keyName", claim.TextAt({"key"})},
                       {"initDataDigest", crypto::DigestText(crypto::Sha256(AsBytes(init_data.text)))}});
}

}  // namespace

std::string KeyReleaseNameFor(std::string_view release_id) {
  return std::string(kNamePrefix) + std::string(release_id);
}

std::string ReleaseIdIn(std::string_view key_release_name) {
  if (!key_release_name.starts_with(kNamePrefix)) return "";
  const std::string_view id = key_release_name.substr(kNamePrefix.size());
  return kube::IsReleaseId(id) ? std::string(id) : "";
}

bool IsFinished(const Json& pod) {
  const std::string_view phase = pod.TextAt({"status", "phase"});
  return phase == "Succeeded" || phase == "Failed";
}

Result<NextLook> PodReconciler::Reconcile(const kube::ObjectKey& key) {
  const auto pod = api_.Get(kube::kPods, key);
  if (!pod && pod.error().code == ReasonCode::kNotFound) return NextLook{};  // its KeyRelease goes with it
  if (!pod) return pod.error();
  const std::string release_id(kube::LabelOf(*pod, kube::kReleaseIdLabel));
  if (!kube::IsReleaseId(release_id) || kube::IsBeingDeleted(*pod) || IsFinished(*pod)) return NextLook{};
  const kube::ObjectKey release_key{key.namespace_name, KeyReleaseNameFor(release_id)};
  if (is_known_(release_key, kube::UidOf(*pod))) return NextLook{};

  const auto spec = SpecFor(*pod, release_id);
  if (!spec) {
    // Admission would not have let it through: something went around it. Nothing is registered, so nothing is
    // released.
    Log(LogLevel::kWarning, "pod with a release id is not as admitted",
        {{"pod", key.ToString()}, {"error", spec.error().ToString()}});
    return NextLook{};
  }
  Json release = kube::NewObject(kube::kKeyReleases, release_key);
  release.Member("metadata")
      .Set("ownerReferences", Json::Array({kube::OwnerReferenceTo(kube::kPods, *pod)}))
      .Set("labels", Json::Object({{std::string(kube::kReleaseIdLabel), release_id}}));
  release.Set("spec", *spec);
  TRY(FailPoint("keyrelease.create"));
  const auto created = api_.Create(kube::kKeyReleases, key.namespace_name, release);
  if (!created && created.error().code == ReasonCode::kConflict) return LookAtPresent(release_key, *pod);
  if (!created) return created.error();
  return NextLook{};
}

/// Most often it is this pod's own, made a moment ago.
Result<NextLook> PodReconciler::LookAtPresent(const kube::ObjectKey& key_release, const Json& pod) {
  const Json present = TRY(api_.Get(kube::kKeyReleases, key_release));
  const std::string_view owner = present.TextAt({"spec", "podUid"});
  if (owner == kube::UidOf(pod)) return NextLook{};
  emit_({kube::kPods, kube::KeyOf(pod), std::string(kube::UidOf(pod)), kube::EventType::kWarning,
         std::string(NameOf(ReasonCode::kConflict)), "ReleaseKey",
         "Conflict: the KeyRelease " + key_release.name + " is another pod's (" +
             std::string(present.TextAt({"spec", "podName"})) + ", UID " + std::string(owner) +
             "). This pod gets no key. Recreate it without the label " + std::string(kube::kReleaseIdLabel) +
             ": admission draws a new id."});
  return NextLook{kLookAtConflict};
}

}  // namespace portcullis::control

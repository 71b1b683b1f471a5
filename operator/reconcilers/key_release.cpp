#include "operator/reconcilers/key_release.h"

#include "base/failpoint.h"
#include "kube/objects.h"
#include "operator/reconcilers/key_release_status.h"
#include "operator/reconcilers/pod.h"
#include "operator/reconcilers/sealed_secret.h"

namespace portcullis::control {
namespace {

using codec::Json;

/// Live releases are looked at again though nothing was heard: a lost notice costs at most this long.
constexpr std::chrono::minutes kResync{5};

/// The fields that a status patch removes must be named as null, or a merge patch would keep them.
Json MergePatchFor(const Json& before, const Json& after) {
  Json patch = after;
  const codec::JsonObject* members = before.if_object();
  if (members == nullptr) return patch;
  for (const auto& [name, value] : *members) {
    const Json* kept = after.Find(name);
    if (kept == nullptr)
      patch.Set(name, nullptr);
    else if (kept->is_object())
      patch.Set(name, MergePatchFor(value, *kept));
  }
  return patch;
}

}  // namespace

Result<NextLook> KeyReleaseReconciler::Reconcile(const kube::ObjectKey& key) {
  const std::string release_id = ReleaseIdIn(key.name);
  if (release_id.empty()) return NextLook{};
  const auto key_release = api_.Get(kube::kKeyReleases, key);
  if (!key_release && key_release.error().code == ReasonCode::kNotFound) {
    SealedSecret secret(api_, key.namespace_name, release_id);
    TRY(RevokeGone(release_id, "PodDeleted"));
    TRY(secret.Remove());
    return NextLook{};
  }
  if (!key_release) return key_release.error();

  const kube::ObjectKey pod_key{key.namespace_name, std::string(key_release->TextAt({"spec", "podName"}))};
  const auto pod = api_.Get(kube::kPods, pod_key);
  if (!pod && pod.error().code != ReasonCode::kNotFound) return pod.error();
  const bool pod_gone = !pod || kube::UidOf(*pod) != key_release->TextAt({"spec", "podUid"});
  const bool ended = pod_gone || IsFinished(*pod);
  if (ended) TRY(RevokeGone(release_id, pod_gone ? "PodDeleted" : "PodFinished"));

  const auto release = ended ? broker_.GetRelease(release_id) : Registered(*key_release, release_id);
  // Its pod ended before the broker heard of it: to register it now would open what nobody may use.
  if (ended && !release && release.error().code == ReasonCode::kNotFound) return NextLook{};
  if (!release) {
    TRY(WriteStatus(key, *key_release, StatusForUnregistered(*key_release, release.error(), clock_.Now()),
                    Json()));
    return release.error();
  }
  const Json pod_or_null = pod_gone ? Json() : *pod;
  const auto secret_name = Deliver(key, release_id, *release, pod_or_null);
  // A Secret that can't be written is told too: the status then says that it is still missing.
  const std::string delivered = secret_name ? *secret_name : "";
  TRY(WriteStatus(key, *key_release, StatusFor(*key_release, *release, delivered, clock_.Now()),
                  pod_or_null));
  if (!secret_name) return secret_name.error();
  return NextLook{kResync};
}

Result<NextLook> KeyReleaseReconciler::RevokeGone(const std::string& release_id, std::string_view cause) {
  const auto revoked = broker_.RevokeRelease(release_id, cause);
  if (!revoked && revoked.error().code != ReasonCode::kNotFound) return revoked.error();
  return NextLook{};
}

Result<Json> KeyReleaseReconciler::Registered(const Json& key_release, const std::string& release_id) {
  auto known = broker_.GetRelease(release_id);
  if (known || known.error().code != ReasonCode::kNotFound) return known;
  const auto spec = [&](std::string_view member) {
    return std::string(key_release.TextAt({"spec", member}));
  };
  TRY(FailPoint("release.register"));
  return broker_.PutRelease(release_id, Json::Object({{"cluster", cluster_},
                                                      {"namespace", kube::KeyOf(key_release).namespace_name},
                                                      {"pod", spec("podName")},
                                                      {"podUid", spec("podUid")},
                                                      {"serviceAccount", spec("serviceAccountName")},
                                                      {"policy", spec("policyName")},
                                                      {"key", spec("keyName")},
                                                      {"initDataDigest", spec("initDataDigest")}}));
}

Result<std::string> KeyReleaseReconciler::Deliver(const kube::ObjectKey& key, const std::string& release_id,
                                                  const Json& release, const Json& pod) {
  SealedSecret secret(api_, key.namespace_name, release_id);
  const Json* jwe = release.Find("jwe");
  if (release.TextAt({"phase"}) == "Released" && release.TextAt({"delivery"}) == "Secret" && jwe != nullptr &&
      !pod.is_null()) {
    TRY(secret.Ensure(*jwe, pod));
    return secret.name();
  }
  // Before a first release there can be none of ours, and asking the API server each time would cost a read.
  if (release.TextAt({"phase"}) == "Revoked") TRY(secret.Remove());
  return std::string();
}

Result<> KeyReleaseReconciler::WriteStatus(const kube::ObjectKey& key, const Json& key_release,
                                           const Json& status, const Json& pod) {
  const Json* found = key_release.Find("status");
  const Json before = found == nullptr ? Json(codec::JsonObject()) : *found;
  if (before == status) return Done{};
  TRY(FailPoint("status.patch"));
  const auto patched = api_.Patch(kube::kKeyReleases, key, "status", kube::PatchType::kMerge,
                                  Json::Object({{"status", MergePatchFor(before, status)}}));
  if (!patched) {
    if (patched.error().code == ReasonCode::kNotFound)
      return Done{};  // went away meanwhile; its deletion comes next
    return patched.error();
  }
  TRY(FailPoint("event.emit"));
  // After the write: an Event for a lost patch would lie.
  for (const kube::Event& event : EventsFor(before, status, key_release)) {
    const auto created = ParseTimestamp(pod.TextAt({"metadata", "creationTimestamp"}));
    const auto decided = ParseTimestamp(status.TextAt({"decidedAt"}));
    if (event.reason == "Released" && created && decided && *decided >= *created)
      metrics_.TimeToKey(*decided - *created);
    emit_(event);
  }
  return Done{};
}

}  // namespace portcullis::control

#include "operator/reconcilers/key_release.h"

#include "base/failpoint.h"
#include "base/log.h"
#include "kube/objects.h"
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
    TRY(TakeBackGone(key, release_id));
    return NextLook{};
  }
  if (!key_release) return key_release.error();

  const kube::ObjectKey pod_key{key.namespace_name, std::string(key_release->TextAt({"spec", "podName"}))};
  const auto pod = api_.Get(kube::kPods, pod_key);
  if (!pod && pod.error().code != ReasonCode::kNotFound) return pod.error();
  const bool pod_gone = !pod || kube::UidOf(*pod) != key_release->TextAt({"spec", "podUid"});
  const bool ended = pod_gone || IsFinished(*pod);
  // What was revoked stays so, also at a broker that was restored to before it.
  const std::string_view revoked = key_release->TextAt({"status", "revocationCause"});
  const std::string_view cause = !ended ? revoked : pod_gone ? "PodDeleted" : "PodFinished";
  const auto release =
      cause.empty() ? Registered(*key_release, release_id) : TakenBack(*key_release, release_id, cause);
  // It ended before the broker heard of it: to register it now would open what nobody may use.
  if (!cause.empty() && !release && release.error().code == ReasonCode::kNotFound) return NextLook{};
  if (!release) {
    TRY(WriteStatus(key, *key_release, StatusForUnregistered(*key_release, release.error(), clock_.Now()),
                    Json()));
    // Another pod's for as long as the broker remembers it: trying soon helps nobody.
    if (release.error().code == ReasonCode::kConflict) return NextLook{kResync};
    return release.error();
  }
  const Json pod_or_null = pod_gone ? Json() : *pod;
  const SecretState secret = Deliver(*key_release, release_id, *release, pod_or_null);
  // A Secret that can't be written is told too: the status then says that it is still missing, and why.
  TRY(WriteStatus(key, *key_release, StatusFor(*key_release, *release, secret, clock_.Now()), pod_or_null));
  if (secret.obstacle) return *secret.obstacle;
  // Nothing follows a revocation. A broker restored to before it is what the controller's sweep looks for.
  return release->TextAt({"phase"}) == "Revoked" ? NextLook{} : NextLook{kResync};
}

/// Whose it was can't be read any more, but for the namespace: no other namespace's release is touched.
Result<> KeyReleaseReconciler::TakeBackGone(const kube::ObjectKey& key, const std::string& release_id) {
  const auto revoked = broker_.RevokeRelease(release_id, "PodDeleted", {key.namespace_name});
  if (!revoked && revoked.error().code != ReasonCode::kNotFound &&
      revoked.error().code != ReasonCode::kConflict)
    return revoked.error();
  if (!revoked && revoked.error().code == ReasonCode::kConflict)
    Log(LogLevel::kWarning, "the release of an object that is gone is another cluster's or namespace's",
        {{"object", key.ToString()}, {"cluster", cluster_}});
  const auto removed = SealedSecret(api_, key.namespace_name, release_id).Remove();
  // Where the right to Secrets is missing none was written; or the right was taken away since, and what was
  // written goes with its pod.
  if (!removed && removed.error().code != ReasonCode::kForbidden) return removed.error();
  return Done{};
}

/// The broker's release, where it is this pod's. Error: Conflict, saying whose it is.
Result<Json> KeyReleaseReconciler::Known(const Json& key_release, const std::string& release_id) {
  Json known = TRY(broker_.GetRelease(release_id));
  if (known.TextAt({"cluster"}) == cluster_ &&
      known.TextAt({"namespace"}) == kube::KeyOf(key_release).namespace_name &&
      known.TextAt({"podUid"}) == key_release.TextAt({"spec", "podUid"}) &&
      known.TextAt({"initDataDigest"}) == key_release.TextAt({"spec", "initDataDigest"}))
    return known;
  const std::string pod = std::string(known.TextAt({"namespace"})) + "/" + std::string(known.TextAt({"pod"}));
  return Error{ReasonCode::kConflict, "the release is another pod's",
               "registered for pod " + Quoted(pod) + ", UID " + Quoted(known.TextAt({"podUid"})) +
                   ", init-data " + Quoted(known.TextAt({"initDataDigest"})) + ", of cluster " +
                   Quoted(known.TextAt({"cluster"}))};
}

Result<Json> KeyReleaseReconciler::Registered(const Json& key_release, const std::string& release_id) {
  auto known = Known(key_release, release_id);
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

Result<Json> KeyReleaseReconciler::TakenBack(const Json& key_release, const std::string& release_id,
                                             std::string_view cause) {
  auto known = Known(key_release, release_id);
  if (!known || known->TextAt({"phase"}) == "Revoked") return known;
  return broker_.RevokeRelease(
      release_id, cause,
      {kube::KeyOf(key_release).namespace_name, std::string(key_release.TextAt({"spec", "podUid"}))});
}

SecretState KeyReleaseReconciler::Deliver(const Json& key_release, const std::string& release_id,
                                          const Json& release, const Json& pod) {
  SealedSecret secret(api_, kube::KeyOf(key_release).namespace_name, release_id);
  const std::string written(key_release.TextAt({"status", "secretName"}));
  const bool released = release.TextAt({"phase"}) == "Released";
  const bool by_secret = release.TextAt({"delivery"}) == "Secret";
  const Json* jwe = release.Find("jwe");
  if (released && by_secret && jwe != nullptr && !pod.is_null()) {
    const auto ensured = secret.Ensure(*jwe, pod);
    return ensured ? SecretState{secret.name()} : SecretState{"", ensured.error()};
  }
  if (release.TextAt({"phase"}) != "Revoked" && !(released && !by_secret)) return {written};
  // Where none can have been written there is none of ours, and maybe no right to look for it.
  if (written.empty() && !by_secret) return {};
  const auto removed = secret.Remove();
  if (removed || (written.empty() && removed.error().code == ReasonCode::kForbidden)) return {};
  return {written, removed.error()};
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

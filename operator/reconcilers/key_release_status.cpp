#include "operator/reconcilers/key_release_status.h"

#include "kube/objects.h"
#include "kube/status.h"

namespace portcullis::control {
namespace {

using codec::Json;
using kube::Condition;
using kube::ConditionStatus;

constexpr std::size_t kMaxFailedChecks = 64;
constexpr std::size_t kMaxCheckText = 512;

Json StatusOf(const Json& object) {
  const Json* status = object.Find("status");
  return status == nullptr ? Json(codec::JsonObject()) : *status;
}

Json FailedChecks(const Json& checks) {
  codec::JsonArray failed;
  if (const codec::JsonArray* all = checks.if_array())
    for (const Json& check : *all)
      if (check.TextAt({"outcome"}) == "failed" && failed.size() < kMaxFailedChecks)
        failed.push_back(Json::Object({{"id", check.TextAt({"id"})},
                                       {"reason", check.TextAt({"reason"})},
                                       {"expected", kube::CutText(check.TextAt({"expected"}), kMaxCheckText)},
                                       {"actual", kube::CutText(check.TextAt({"actual"}), kMaxCheckText)}}));
  return failed;
}

/// One of our own words, which live as long as the process: conditions keep views of it.
std::string_view FirstReason(const Json& reasons) {
  const codec::JsonArray* all = reasons.if_array();
  const auto code = all == nullptr || all->empty() || all->front().if_string() == nullptr
                        ? std::nullopt
                        : ReasonNamed(*all->front().if_string());
  return NameOf(code.value_or(ReasonCode::kInternalError));
}

/// "MeasurementNotAllowed: what happened (check snp.measurement-allowed: expected X, actual Y). What to do."
std::string Explanation(std::string_view reason_name, const Json& failed_checks) {
  std::string text(reason_name);
  const auto code = ReasonNamed(reason_name);
  if (code) text += ": " + std::string(ReasonFor(*code).message);
  if (const codec::JsonArray* checks = failed_checks.if_array())
    for (const Json& check : *checks)
      if (check.TextAt({"reason"}) == reason_name) {
        text += " Check " + std::string(check.TextAt({"id"})) + ": expected " +
                kube::CutText(check.TextAt({"expected"}), 160) + ", actual " +
                kube::CutText(check.TextAt({"actual"}), 160) + ".";
        break;
      }
  if (code) text += " " + std::string(ReasonFor(*code).remedy) + " See " + DocsAnchor(*code) + ".";
  return text;
}

struct Verdicts {
  Condition attested, released, ready;
};

/// Why a released key is not in its Secret. What comes right by itself is pending; the rest waits for
/// someone.
Condition NotDelivered(const std::optional<Error>& obstacle) {
  if (obstacle && obstacle->code == ReasonCode::kForbidden)
    return {
        "Ready", ConditionStatus::kFalse, NameOf(ReasonCode::kForbidden),
        "Forbidden: the controller may not keep the pod's Secret (" + obstacle->where +
            "). Add the namespace to releaseNamespaces of the chart, or sign a policy with delivery Direct."};
  const bool lost_race = obstacle && (obstacle->where == kube::kConflict || kube::IsAlreadyExists(*obstacle));
  if (obstacle && obstacle->code == ReasonCode::kConflict && !lost_race)
    return {"Ready", ConditionStatus::kFalse, NameOf(ReasonCode::kConflict),
            "Conflict: a Secret of the name " + obstacle->where +
                " exists and is not Portcullis'. Delete it, or recreate the pod."};
  return {"Ready", ConditionStatus::kFalse, "SecretPending", "The Secret is not written yet."};
}

Verdicts Denied(const Json& status) {
  const Json* reasons = status.Find("reasons");
  const std::string_view first = FirstReason(reasons == nullptr ? Json() : *reasons);
  const Json* checks = status.Find("failedChecks");
  std::string why = Explanation(first, checks == nullptr ? Json() : *checks);
  if (const std::string_view cause = status.TextAt({"revocationCause"}); !cause.empty())
    why += " The release has ended since: " + std::string(cause) + ".";
  return {{"Attested", ConditionStatus::kFalse, first, why},
          {"Released", ConditionStatus::kFalse, first, why},
          {"Ready", ConditionStatus::kFalse, first, why}};
}

Verdicts Revoked(const Json& status, const std::optional<Error>& obstacle) {
  const bool was_held = status.TextAt({"verdict"}) == "allow";
  std::string why = was_held ? "The release was revoked: " : "The release ended before the pod attested: ";
  why += std::string(status.TextAt({"revocationCause"})) + ".";
  if (obstacle) why += " Its Secret can't be taken away yet: " + obstacle->ToString() + ".";
  return {{"Attested", ConditionStatus::kUnknown, "Revoked", why},
          {"Released", ConditionStatus::kFalse, "Revoked", why},
          {"Ready", ConditionStatus::kFalse, "Revoked", why}};
}

Verdicts ConditionsFor(const Json& status, const SecretState& secret, std::string_view delivery) {
  const std::string_view phase = status.TextAt({"phase"});
  if (phase == "Released") {
    const bool delivered = delivery == "Direct" || !secret.name.empty();
    return {
        {"Attested", ConditionStatus::kTrue, "Attested", "The evidence passed every check of the policy."},
        {"Released", ConditionStatus::kTrue, "Released", "The key was sealed to the pod's TEE."},
        delivered ? Condition{"Ready", ConditionStatus::kTrue, "Released", "The pod can open its key."}
                  : NotDelivered(secret.obstacle)};
  }
  if (phase == "Denied") return Denied(status);
  if (phase == "Revoked") return Revoked(status, secret.obstacle);
  const std::string waiting = "Registered at the broker; the pod has not attested yet.";
  return {{"Attested", ConditionStatus::kUnknown, "Waiting", waiting},
          {"Released", ConditionStatus::kFalse, "Waiting", waiting},
          {"Ready", ConditionStatus::kFalse, "Waiting", waiting}};
}

void CopyMember(const Json& from, std::string_view name, Json& to) {
  const Json* value = from.Find(name);
  // The broker says "" where there is nothing yet; the object then has no such field.
  if (value != nullptr && !value->is_null() && !(*value == Json(""))) to.Set(name, *value);
}

std::int64_t SequenceIn(const Json& value) {
  const Json* sequence = value.Find("auditSequence");
  return sequence == nullptr ? 0 : sequence->if_int64().value_or(0);
}

/// Forbidden or Conflict, where that is why the pod is not ready; else "".
std::string_view NeedsSomeone(const Json& status) {
  const Json* ready = kube::FindCondition(status, "Ready");
  const std::string_view reason = ready == nullptr ? "" : ready->TextAt({"reason"});
  return reason == NameOf(ReasonCode::kForbidden) || reason == NameOf(ReasonCode::kConflict) ? reason : "";
}

}  // namespace

Json StatusFor(const Json& key_release, const Json& release, const SecretState& secret, WallTime now) {
  const Json before = StatusOf(key_release);
  Json status = codec::JsonObject();
  CopyMember(before, "conditions", status);
  for (const std::string_view member :
       {"phase", "verdict", "reasons", "notProven", "evidenceDigest", "policyDigest", "tee", "auditSequence",
        "decidedAt", "revocationCause"})
    CopyMember(release, member, status);
  if (const Json* checks = release.Find("checks")) status.Set("failedChecks", FailedChecks(*checks));
  if (release.TextAt({"phase"}) == "Revoked" && release.TextAt({"verdict"}) == "deny")
    status.Set("phase", "Denied");
  if (!secret.name.empty()) status.Set("secretName", secret.name);
  if (const Json* expires = release.Find("leaseExpires"))
    status.Set("lease", Json::Object({{"expiresAt", *expires}}));
  if (const Json* denial = release.Find("lastDenial"); denial != nullptr && denial->is_object()) {
    Json shown = Json::Object({{"time", denial->TextAt({"time"})}, {"auditSequence", SequenceIn(*denial)}});
    CopyMember(*denial, "reasons", shown);
    if (const Json* checks = denial->Find("checks")) shown.Set("failedChecks", FailedChecks(*checks));
    status.Set("lastDenial", shown);
  }
  const auto generation = kube::GenerationOf(key_release);
  kube::SetCondition(status,
                     {"Registered", ConditionStatus::kTrue, "Registered", "The broker knows the release."},
                     generation, now);
  const Verdicts verdicts = ConditionsFor(status, secret, release.TextAt({"delivery"}));
  for (const Condition* condition : {&verdicts.attested, &verdicts.released, &verdicts.ready})
    kube::SetCondition(status, *condition, generation, now);
  return status;
}

Json StatusForUnregistered(const Json& key_release, const Error& error, WallTime now) {
  const auto generation = kube::GenerationOf(key_release);
  Json status = StatusOf(key_release);
  if (error.code == ReasonCode::kConflict) {
    Json kept = Json::Object({{"phase", "Pending"}});
    CopyMember(status, "conditions", kept);
    CopyMember(status, "secretName", kept);
    CopyMember(status, "revocationCause", kept);  // what says, whatever the broker has, that it ended
    const std::string why =
        "Conflict: the broker has this release id for another pod (" + error.where +
        "). Nothing is delivered or revoked for this one. Recreate it: admission draws a new id.";
    for (const auto& [type, said] :
         {std::pair{"Registered", ConditionStatus::kFalse}, std::pair{"Attested", ConditionStatus::kUnknown},
          std::pair{"Released", ConditionStatus::kFalse}, std::pair{"Ready", ConditionStatus::kFalse}})
      kube::SetCondition(kept, {type, said, NameOf(error.code), why}, generation, now);
    return kept;
  }
  if (status.TextAt({"phase"}).empty()) status.Set("phase", "Pending");
  const std::string why = std::string(ReasonFor(error.code).message) + " " + error.where + " " +
                          std::string(ReasonFor(error.code).remedy);
  kube::SetCondition(status, {"Registered", ConditionStatus::kFalse, NameOf(error.code), why}, generation,
                     now);
  if (status.TextAt({"phase"}) == "Pending")
    kube::SetCondition(status, {"Ready", ConditionStatus::kFalse, NameOf(error.code), why}, generation, now);
  return status;
}

std::vector<kube::Event> EventsFor(const Json& old_status, const Json& new_status, const Json& key_release) {
  std::vector<kube::Event> events;
  const auto add = [&](kube::EventType type, std::string_view reason, std::string note) {
    events.push_back(
        {kube::kPods,
         {kube::KeyOf(key_release).namespace_name, std::string(key_release.TextAt({"spec", "podName"}))},
         std::string(key_release.TextAt({"spec", "podUid"})),
         type,
         std::string(reason),
         "ReleaseKey",
         std::move(note)});
  };
  const auto add_denial = [&](const Json& denial) {
    const Json* reasons = denial.Find("reasons");
    const Json* checks = denial.Find("failedChecks");
    add(kube::EventType::kWarning, "Denied",
        Explanation(FirstReason(reasons == nullptr ? Json() : *reasons),
                    checks == nullptr ? Json() : *checks));
  };
  const std::string_view phase = new_status.TextAt({"phase"});
  const bool newly_decided = SequenceIn(old_status) != SequenceIn(new_status);
  if (phase == "Released" && newly_decided)
    add(kube::EventType::kNormal, "Released",
        "Key " + std::string(key_release.TextAt({"spec", "keyName"})) +
            " was released, sealed to the pod's TEE, under policy " +
            std::string(key_release.TextAt({"spec", "policyName"})) + ".");
  if (phase == "Denied" && newly_decided) add_denial(new_status);
  const Json* new_denial = new_status.Find("lastDenial");
  const Json* old_denial = old_status.Find("lastDenial");
  if (new_denial != nullptr && (old_denial == nullptr || SequenceIn(*old_denial) != SequenceIn(*new_denial)))
    add_denial(*new_denial);
  if (phase == "Revoked" && old_status.TextAt({"phase"}) != "Revoked" &&
      new_status.TextAt({"verdict"}) == "allow")
    add(kube::EventType::kWarning, "Revoked",
        "The key release was revoked: " + std::string(new_status.TextAt({"revocationCause"})) + ".");
  const std::string_view hindered = NeedsSomeone(new_status);
  if (!hindered.empty() && hindered != NeedsSomeone(old_status))
    add(kube::EventType::kWarning, hindered,
        std::string(kube::FindCondition(new_status, "Ready")->TextAt({"message"})));
  return events;
}

}  // namespace portcullis::control

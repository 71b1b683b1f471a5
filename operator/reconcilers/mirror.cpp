#include "operator/reconcilers/mirror.h"

#include "kube/objects.h"

namespace portcullis::control {
namespace {

using codec::Json;

/// Mirrored again now and then: a broker restored from a backup gets back what it lost.
constexpr std::chrono::minutes kResync{10};

std::string MessageOf(const Error& error) {
  const Reason& reason = ReasonFor(error.code);
  std::string message(reason.message);
  if (!error.where.empty()) message += " " + error.where;
  return message + " " + std::string(reason.remedy);
}

Result<> WriteStatus(kube::Api& api, const kube::Resource& resource, const Json& object, Json status) {
  const Json* before = object.Find("status");
  if (before != nullptr && *before == status) return Done{};
  TRY(api.Patch(resource, kube::KeyOf(object), "status", kube::PatchType::kMerge,
                Json::Object({{"status", std::move(status)}})));
  return Done{};
}

Json StatusOf(const Json& object) {
  const Json* status = object.Find("status");
  return status == nullptr ? Json(codec::JsonObject()) : *status;
}

void SetAccepted(Json& status, const Json& object, const Result<Json>& answer, const Clock& clock) {
  const auto generation = kube::GenerationOf(object);
  for (const std::string_view type : {"Accepted", "Ready"})
    kube::SetCondition(
        status,
        answer ? kube::Condition{type, kube::ConditionStatus::kTrue, "Accepted", "The broker accepted it."}
               : kube::Condition{type, kube::ConditionStatus::kFalse, NameOf(answer.error().code),
                                 MessageOf(answer.error())},
        generation, clock.Now());
}

/// True where `object` as it is now was accepted before.
bool WasAccepted(const Json& object) {
  const Json status = StatusOf(object);
  const Json* accepted = kube::FindCondition(status, "Accepted");
  const Json* observed = accepted == nullptr ? nullptr : accepted->Find("observedGeneration");
  return accepted != nullptr && accepted->TextAt({"status"}) == "True" && observed != nullptr &&
         observed->if_int64() == kube::GenerationOf(object);
}

/// A refusal that a later try can cure is tried again like a failure, ever more rarely: each try costs the
/// broker a transaction.
Result<NextLook> NextAfter(const Result<Json>& answer) {
  if (!answer && ReasonFor(answer.error().code).retryable) return answer.error();
  return NextLook{kResync};
}

}  // namespace

Result<NextLook> ModelKeyReconciler::Reconcile(const kube::ObjectKey& key) {
  const auto object = api_.Get(kube::kModelKeys, key);
  if (!object && object.error().code == ReasonCode::kNotFound) {
    TRY(broker_.DeleteKey(key.namespace_name, key.name));
    return NextLook{};
  }
  if (!object) return object.error();
  if (kube::IsBeingDeleted(*object)) return NextLook{};
  const Json* spec = object->Find("spec");
  const auto answer = broker_.PutKey(key.namespace_name, key.name, spec == nullptr ? Json() : *spec);
  // Before the status says so: lost on the way, this would not come again.
  if (answer && !WasAccepted(*object)) on_accepted_(key.namespace_name);
  Json status = StatusOf(*object);
  SetAccepted(status, *object, answer, clock_);
  if (answer) {
    codec::JsonArray versions;
    if (const Json* version = answer->Find("currentVersion")) versions.push_back(*version);
    status.Set("acceptedVersions", versions);
  }
  TRY(WriteStatus(api_, kube::kModelKeys, *object, std::move(status)));
  return NextAfter(answer);
}

Result<NextLook> ReleasePolicyReconciler::Reconcile(const kube::ObjectKey& key) {
  const auto object = api_.Get(kube::kReleasePolicies, key);
  if (!object && object.error().code == ReasonCode::kNotFound) {
    TRY(broker_.DeletePolicy(key.namespace_name, key.name));
    return NextLook{};
  }
  if (!object) return object.error();
  if (kube::IsBeingDeleted(*object)) return NextLook{};
  const Json* policy = object->At({"spec", "policy"});
  const Json* signatures = object->At({"spec", "signatures"});
  const auto answer = broker_.PutPolicy(
      key.namespace_name, key.name,
      Json::Object({{"policy", policy == nullptr ? Json() : *policy},
                    {"signatures", signatures == nullptr ? Json(codec::JsonArray()) : *signatures}}));
  Json status = StatusOf(*object);
  SetAccepted(status, *object, answer, clock_);
  if (answer) {
    if (const Json* revision = answer->Find("revision")) status.Set("acceptedRevision", *revision);
    status.Set("digest", answer->TextAt({"digest"}));
  }
  TRY(WriteStatus(api_, kube::kReleasePolicies, *object, std::move(status)));
  return NextAfter(answer);
}

}  // namespace portcullis::control

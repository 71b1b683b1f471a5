#include "kube/objects.h"

#include <algorithm>

namespace portcullis::kube {
namespace {

constexpr std::size_t kReleaseIdDigits = 32;
constexpr std::size_t kMaxConditionMessage = 1024;  // as the schemas of the CRDs say

auto ConditionIn(auto& conditions, std::string_view type) {
  return std::find_if(conditions.begin(), conditions.end(),
                      [&](const codec::Json& one) { return one.TextAt({"type"}) == type; });
}

}  // namespace

std::string SecretNameFor(std::string_view release_id) { return "portcullis-" + std::string(release_id); }

bool IsReleaseId(std::string_view text) {
  return text.size() == kReleaseIdDigits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

ObjectKey KeyOf(const codec::Json& object) {
  return {std::string(object.TextAt({"metadata", "namespace"})),
          std::string(object.TextAt({"metadata", "name"}))};
}

std::string_view UidOf(const codec::Json& object) { return object.TextAt({"metadata", "uid"}); }

std::string_view ResourceVersionOf(const codec::Json& object) {
  return object.TextAt({"metadata", "resourceVersion"});
}

std::string_view LabelOf(const codec::Json& object, std::string_view name) {
  return object.TextAt({"metadata", "labels", name});
}

std::string_view AnnotationOf(const codec::Json& object, std::string_view name) {
  return object.TextAt({"metadata", "annotations", name});
}

std::int64_t GenerationOf(const codec::Json& object) {
  const codec::Json* generation = object.At({"metadata", "generation"});
  return generation == nullptr ? 0 : generation->if_int64().value_or(0);
}

bool IsBeingDeleted(const codec::Json& object) {
  return !object.TextAt({"metadata", "deletionTimestamp"}).empty();
}

std::string ApiVersionOf(const Resource& resource) {
  const std::string version(resource.version);
  return resource.group.empty() ? version : std::string(resource.group) + "/" + version;
}

codec::Json NewObject(const Resource& resource, const ObjectKey& key) {
  codec::Json metadata = codec::Json::Object({{"name", key.name}});
  if (!key.namespace_name.empty()) metadata.Set("namespace", key.namespace_name);
  return codec::Json::Object(
      {{"apiVersion", ApiVersionOf(resource)}, {"kind", resource.kind}, {"metadata", std::move(metadata)}});
}

codec::Json OwnerReferenceTo(const Resource& resource, const codec::Json& owner) {
  return codec::Json::Object({{"apiVersion", ApiVersionOf(resource)},
                              {"kind", resource.kind},
                              {"name", KeyOf(owner).name},
                              {"uid", UidOf(owner)},
                              {"controller", true},
                              // true would need the right to update the owner's finalizers
                              {"blockOwnerDeletion", false}});
}

std::string_view NameOf(ConditionStatus status) {
  switch (status) {
    case ConditionStatus::kTrue:
      return "True";
    case ConditionStatus::kFalse:
      return "False";
    case ConditionStatus::kUnknown:
      return "Unknown";
  }
  return "Unknown";
}

bool SetCondition(codec::Json& status, const Condition& condition, std::int64_t generation, WallTime now) {
  codec::Json wanted = codec::Json::Object({{"type", condition.type},
                                            {"status", NameOf(condition.status)},
                                            {"observedGeneration", generation},
                                            {"lastTransitionTime", FormatTimestamp(now)},
                                            {"reason", condition.reason},
                                            {"message", CutText(condition.message, kMaxConditionMessage)}});
  codec::Json& conditions = status.Member("conditions");
  if (!conditions.is_array()) conditions = codec::JsonArray();
  codec::JsonArray& all = *conditions.if_array();
  const auto present = ConditionIn(all, condition.type);
  if (present == all.end()) {
    all.push_back(std::move(wanted));
    return true;
  }
  if (present->TextAt({"status"}) == NameOf(condition.status))
    wanted.Set("lastTransitionTime", std::string(present->TextAt({"lastTransitionTime"})));
  if (*present == wanted) return false;
  *present = std::move(wanted);
  return true;
}

const codec::Json* FindCondition(const codec::Json& status, std::string_view type) {
  const codec::Json* conditions = status.Find("conditions");
  const codec::JsonArray* all = conditions == nullptr ? nullptr : conditions->if_array();
  if (all == nullptr) return nullptr;
  const auto found = ConditionIn(*all, type);
  return found == all->end() ? nullptr : &*found;
}

bool IsConditionTrue(const codec::Json& status, std::string_view type) {
  const codec::Json* condition = FindCondition(status, type);
  return condition != nullptr && condition->TextAt({"status"}) == "True";
}

std::string CutText(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return std::string(text);
  std::size_t end = max_bytes;
  // 10xxxxxx continues a character: step back to where the last one starts.
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end));
}

}  // namespace portcullis::kube

#include "operator/admission/agent_user.h"

#include <algorithm>

namespace portcullis::control {
namespace {

using codec::Json;

constexpr std::int64_t kMaxId = 2'147'483'647;  // the API server takes no other

/// What a container runs with: its own value, else the pod's.
const Json* Effective(const Json& pod, const Json& container, std::string_view field) {
  const Json* own = container.At({"securityContext", field});
  return own != nullptr && !own->is_null() ? own : pod.At({"spec", "securityContext", field});
}

std::optional<std::int64_t> IdFrom(const Json* value) {
  const auto id = value == nullptr ? std::nullopt : value->if_int64();
  return id && *id >= 0 && *id <= kMaxId ? id : std::nullopt;
}

bool IsTrue(const Json* value) {
  return value != nullptr && value->if_bool() != nullptr && *value->if_bool();
}

/// One field of all main containers.
struct Ids {
  std::optional<std::int64_t> first;
  bool same = true;         // all known and equal
  bool all_unknown = true;  // left to the images
};

Ids IdsOf(const Json& pod, const codec::JsonArray& containers, std::string_view field) {
  Ids ids;
  for (const Json& container : containers) {
    const auto id = IdFrom(Effective(pod, container, field));
    if (&container == &containers.front()) ids.first = id;
    if (id) ids.all_unknown = false;
    if (!id || id != ids.first) ids.same = false;
  }
  return ids;
}

std::string OnlyOneReads(const AgentUser& agent) {
  return "spec.securityContext.runAsUser: not all containers are known to run as one user, and only " +
         (agent.user ? "user " + std::to_string(*agent.user) : std::string("root")) +
         " can read the key; set it for the pod, or set spec.securityContext.fsGroup";
}

}  // namespace

AgentUser AgentUserFor(const Json& pod) {
  AgentUser agent;
  const Json* list = pod.At({"spec", "containers"});
  if (list == nullptr || list->if_array() == nullptr || list->if_array()->empty()) return agent;
  const codec::JsonArray& containers = *list->if_array();

  const Ids users = IdsOf(pod, containers, "runAsUser");
  agent.user = users.first;
  const Ids groups = IdsOf(pod, containers, "runAsGroup");
  if (groups.same) agent.group = groups.first;
  agent.root = !std::ranges::all_of(
      containers, [&](const Json& container) { return IsTrue(Effective(pod, container, "runAsNonRoot")); });
  const bool has_group = IdFrom(pod.At({"spec", "securityContext", "fsGroup"})).has_value();
  agent.group_readable = has_group && !users.same;

  if (!users.same && !users.all_unknown && !has_group) agent.warnings.push_back(OnlyOneReads(agent));
  if (!agent.root)
    agent.warnings.push_back(
        "spec.securityContext.runAsNonRoot: the agent is not root either, and configfs-tsm takes root alone; "
        "it attests only where the guest offers more (docs/install.md, \"What the guest must offer\")");
  return agent;
}

}  // namespace portcullis::control

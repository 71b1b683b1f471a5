#include <algorithm>

#include "crypto/digest.h"
#include "kube/objects.h"
#include "operator/admission/injected.h"
#include "operator/admission/pod_rules.h"

namespace portcullis::control {
namespace {

using codec::Json;

const Json* Named(const Json& pod, std::string_view list, std::string_view name) {
  const Json* items = pod.At({"spec", list});
  if (items == nullptr || items->if_array() == nullptr) return nullptr;
  for (const Json& item : *items->if_array())
    if (item.TextAt({"name"}) == name) return &item;
  return nullptr;
}

Error Inconsistent(StaticText what, std::string where) {
  return {ReasonCode::kImmutableField, what, std::move(where)};
}

/// Whether the claim is what a replica of the webhook writes for this pod and release, be it one that knows
/// the broker's identity of some minutes ago.
bool IsOwnClaim(const Json& claim, const Json& pod, const std::string& namespace_name,
                const WantedKey& wanted, const AdmissionContext& context) {
  const std::string release_id(kube::LabelOf(pod, kube::kReleaseIdLabel));
  const auto names = [&](const BrokerIdentity& broker) {
    return claim == ClaimFor(pod, context.guest_url, broker, release_id, namespace_name, wanted);
  };
  return names(context.broker) || std::ranges::any_of(context.earlier_brokers, names);
}

/// The init-data must be what the webhook writes for this pod, release and broker.
Result<> RequireOwnInitData(const Json& pod, const std::string& namespace_name,
                            const AdmissionContext& context) {
  if (context.broker.signing_key.is_null()) return BrokerUnknown();
  const std::string where = "metadata.annotations[\"" + std::string(kube::kInitDataAnnotation) + "\"]";
  const auto init_data = codec::DecodeInitDataAnnotation(kube::AnnotationOf(pod, kube::kInitDataAnnotation));
  if (!init_data) return Inconsistent("init-data is missing or can't be read", where);
  const auto digest = crypto::DigestText(crypto::Sha256(AsBytes(init_data->text)));
  if (kube::AnnotationOf(pod, kube::kInitDataDigestAnnotation) != digest)
    return Inconsistent("init-data does not have the recorded digest", where);
  const auto entry = init_data->data.find(std::string(kClaimEntry));
  if (entry == init_data->data.end()) return Inconsistent("init-data has no entry portcullis.json", where);
  const auto claim = codec::ParseJson(entry->second, {.max_bytes = 64 * 1024, .max_depth = 8});
  const WantedKey wanted = TRY(ResolveKey(pod, namespace_name, context));
  if (!claim || !IsOwnClaim(*claim, pod, namespace_name, wanted, context))
    return Inconsistent("portcullis.json in init-data is not what the webhook writes for this pod", where);
  return Done{};
}

/// An image's name without tag and digest.
std::string_view RepositoryOf(std::string_view image) {
  image = image.substr(0, image.find('@'));
  const auto colon = image.rfind(':');
  const bool tagged = colon != std::string_view::npos && image.find('/', colon) == std::string_view::npos;
  return tagged ? image.substr(0, colon) : image;
}

bool IsUserId(std::string_view text) {
  return !text.empty() && text.size() <= 10 && text.front() != '0' &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// The arguments that the webhook writes for some pod. Which of the last ones they are depends on the users
/// of its containers, and a webhook after ours may have added containers since.
bool IsAgentArguments(const Json* value, const AdmissionContext& context) {
  if (value == nullptr || value->if_array() == nullptr) return false;
  const Json agent = AgentContainer(context.agent_image, AgentUser{});
  const codec::JsonArray &fixed = *agent.Find("args")->if_array(), &arguments = *value->if_array();
  if (arguments.size() < fixed.size() || !std::equal(fixed.begin(), fixed.end(), arguments.begin()))
    return false;
  auto next = arguments.begin() + std::ssize(fixed);
  if (next != arguments.end() && *next == Json("--owner")) {
    if (++next == arguments.end() || next->if_string() == nullptr || !IsUserId(*next->if_string()))
      return false;
    ++next;
  }
  if (next != arguments.end() && *next == Json("--group-readable")) ++next;
  return next == arguments.end();
}

/// What decides what the agent does. The rest may differ: the API server fills in defaults, other webhooks
/// add. The image's version is left open: while one release takes the place of another, replicas of both are
/// asked, and nobody but a replica can have written this (RefuseBrought).
bool IsInjectedAgent(const Json& container, const AdmissionContext& context) {
  const Json agent = AgentContainer(context.agent_image, AgentUser{});
  if (container.TextAt({"name"}) != kAgentName || !IsAgentArguments(container.Find("args"), context) ||
      RepositoryOf(container.TextAt({"image"})) != RepositoryOf(context.agent_image))
    return false;
  // A restart policy would make it a sidecar that the other containers don't wait for.
  if (container.Find("command") != nullptr || container.Find("restartPolicy") != nullptr) return false;
  const Json& init_data = agent.Find("env")->if_array()->front();
  const Json* variables = container.Find("env");
  return variables != nullptr && variables->if_array() != nullptr &&
         std::ranges::count_if(*variables->if_array(),
                               [&](const Json& variable) {
                                 return variable.TextAt({"name"}) == init_data.TextAt({"name"});
                               }) == 1 &&
         std::ranges::find(*variables->if_array(), init_data) != variables->if_array()->end();
}

Result<> RequireInjected(const Json& pod, const AdmissionContext& context, bool direct) {
  const Json* init_containers = pod.At({"spec", "initContainers"});
  const bool first = init_containers != nullptr && init_containers->if_array() != nullptr &&
                     !init_containers->if_array()->empty() &&
                     IsInjectedAgent(init_containers->if_array()->front(), context);
  if (!first)
    return Inconsistent("the first init container must be the agent that the webhook injects",
                        "spec.initContainers[0]");
  const Json* volume = Named(pod, "volumes", kKeyVolumeName);
  if (volume == nullptr || volume->TextAt({"emptyDir", "medium"}) != "Memory")
    return Inconsistent("the key volume must be an emptyDir with medium Memory", "spec.volumes");
  if (direct) return Done{};
  const Json variable = SealedKeyVariable(std::string(kube::LabelOf(pod, kube::kReleaseIdLabel)));
  const Json* containers = pod.At({"spec", "containers"});
  if (containers == nullptr || containers->if_array() == nullptr)
    return Error{ReasonCode::kRequestMalformed, "the pod has no containers", "spec.containers"};
  for (const Json& container : *containers->if_array()) {
    const Json* variables = container.Find("env");
    const bool gated = variables != nullptr && variables->if_array() != nullptr &&
                       std::ranges::find(*variables->if_array(), variable) != variables->if_array()->end();
    if (!gated)
      return Inconsistent(
          "a container would start without its sealed key",
          "spec.containers: " + Quoted(container.TextAt({"name"})) + " has no env PORTCULLIS_SEALED_KEY");
  }
  return Done{};
}

Result<> RequireAdmittedForm(const AdmissionRequest& request, const AdmissionContext& context) {
  const Json& pod = request.object;
  TRY(RequireConfidential(pod, context));
  if (!kube::IsReleaseId(kube::LabelOf(pod, kube::kReleaseIdLabel)))
    return Inconsistent("the release id is not one that the webhook drew",
                        "metadata.labels[\"portcullis.dev/release-id\"]");
  const WantedKey wanted = TRY(ResolveKey(pod, request.namespace_name, context));
  TRY(RequireOwnInitData(pod, request.namespace_name, context));
  return RequireInjected(pod, context, wanted.direct);
}

constexpr std::string_view kFrozenLabels[] = {kube::kPolicyLabel, kube::kKeyLabel, kube::kReleaseIdLabel};
constexpr std::string_view kFrozenAnnotations[] = {kube::kInitDataAnnotation,
                                                   kube::kInitDataDigestAnnotation};

Result<> RequireUnchanged(const Json& before, const Json& after) {
  for (const std::string_view label : kFrozenLabels)
    if (kube::LabelOf(before, label) != kube::LabelOf(after, label))
      return Error{ReasonCode::kImmutableField, "a label of the release changed",
                   "metadata.labels[\"" + std::string(label) + "\"]"};
  for (const std::string_view annotation : kFrozenAnnotations)
    if (kube::AnnotationOf(before, annotation) != kube::AnnotationOf(after, annotation))
      return Error{ReasonCode::kImmutableField, "an annotation of the release changed",
                   "metadata.annotations[\"" + std::string(annotation) + "\"]"};
  for (const std::string_view list : {"initContainers", "containers"}) {
    const Json* old_items = before.At({"spec", list});
    const Json* new_items = after.At({"spec", list});
    if (old_items == nullptr || new_items == nullptr || old_items->if_array() == nullptr ||
        new_items->if_array() == nullptr)
      continue;
    for (std::size_t i = 0; i < old_items->if_array()->size() && i < new_items->if_array()->size(); ++i)
      if ((*old_items->if_array())[i].TextAt({"image"}) != (*new_items->if_array())[i].TextAt({"image"}))
        return Error{ReasonCode::kImmutableField, "the image of a confidential container changed",
                     "spec." + std::string(list) + "[" + std::to_string(i) + "].image"};
  }
  return Done{};
}

Admission From(const Result<>& result) {
  if (result) return {};
  return {.denial = result.error(), .patch = {}, .warnings = {}};
}

}  // namespace

Admission ValidatePod(const AdmissionRequest& request, const AdmissionContext& context) {
  if (request.operation == "CREATE") {
    if (!AsksForKey(request.object)) return {};
    return From(RequireAdmittedForm(request, context));
  }
  if (request.operation != "UPDATE") return {};
  if (request.sub_resource == "ephemeralcontainers" && AsksForKey(request.old_object))
    return From(Error{ReasonCode::kImmutableField,
                      "an ephemeral container could read the key of a confidential pod",
                      "spec.ephemeralContainers"});
  if (!AsksForKey(request.old_object) && !AsksForKey(request.object)) return {};
  return From(RequireUnchanged(request.old_object, request.object));
}

}  // namespace portcullis::control

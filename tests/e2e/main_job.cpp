#include "tests/e2e/main_job.h"

#include <algorithm>
#include <sstream>

#include "codec/init_data.h"
#include "codec/text.h"
#include "crypto/digest.h"
#include "kube/objects.h"

namespace portcullis::e2e {
namespace {

using codec::Json;

constexpr std::chrono::seconds kDecisionLimit{20};

std::string MeasurementText(const lab::LaunchState& launch) {
  return codec::EncodeHex(launch.measurement.bytes());
}

/// The lab's healthy TD, with the kernel's command line pinned by its event in the log.
std::string TdxYaml() {
  const lab::TdState td;
  const auto hex = [](const auto& value) { return codec::EncodeHex(value.bytes()); };
  return "  tdx:\n    mrTd: [\"" + hex(td.mr_td) +
         "\"]\n    mrSeam: {mode: Any, digests: []}\n    rtmrs:\n"
         "      rtmr0: {mode: Any, digests: []}\n      rtmr1: {mode: Listed, digests: [\"" +
         hex(td.rtmrs[1]) +
         "\"]}\n      rtmr2: {mode: Any, digests: []}\n      rtmr3: {mode: Any, digests: []}\n"
         "    events: [{rtmr: 2, type: EV_IPL, digests: [\"" +
         hex(*td.events.back().digest) +
         "\"]}]\n    mrOwner: {mode: Absent, digests: []}\n    mrOwnerConfig: {mode: Absent, digests: []}\n"
         "    mrServiceTd: {mode: Absent, digests: []}\n"
         "    tdAttributes: {mustSet: [SEPT_VE_DISABLE], mustClear: [MIGRATABLE, PERFMON]}\n"
         "    xfamAllowed: \"0x602e7\"\n"
         "    tcb:\n      evaluation: {set: standard, minNumber: 1}\n      statuses: [UpToDate]\n"
         "      exceptions: []\n      deniedAdvisories: []\n"
         "    platforms: {mode: AnyGenuine, allow: [], deny: []}\n    fmspcs: {mode: Any, values: []}\n";
}

/// The policy of the main job: the lab's healthy Milan, its healthy TD, and nothing else.
std::string PolicyYaml() {
  return "format: portcullis.dev/policy.v1\n"
         "namespace: team-a\nname: llama\nrevision: 1\nassetClass: ModelWeights\nkeys: [llama-70b]\n"
         "subjects:\n  - {namespace: team-a, serviceAccount: inference, initData: {}}\n"
         "tees:\n  snp:\n    minReportVersion: 3\n    keyKinds: [VCEK]\n    vmpls: [0]\n"
         "    guestPolicy: {mustSet: [], mustClear: [MigrateMa, CxlAllowed], minAbi: \"0.0\"}\n"
         "    platform: {mustSet: [AliasCheckComplete], mustClear: []}\n"
         "    provisionalFirmware: Deny\n    migrationAgents: []\n"
         "    products:\n      - product: Milan\n        family: 25\n        model: 1\n        stepping: 1\n"
         "        tcbFloor: {bootloader: 4, tee: 0, snp: 24, microcode: 219}\n"
         "        firmwareFloor: \"1.55.29\"\n        mitigations: {launch: \"0x0\", current: \"0x0\"}\n"
         "    chips: {mode: AnyGenuine, allow: [], deny: []}\n    revocation: {maxCrlAgeDays: 366}\n    "
         "maskedChipId: Deny\n    csps: []\n"
         "    measurements: [\"" +
         MeasurementText(lab::LaunchState::Milan()) +
         "\"]\n    minGuestSvn: 0\n"
         "    familyId: {mode: Any, digests: []}\n    imageId: {mode: Any, digests: []}\n"
         "    idKey: {mode: Absent, digests: []}\n    authorKey: {mode: Absent, digests: []}\n" +
         TdxYaml() +
         "freshness: {challengeSeconds: 60}\nlease: {seconds: 3600}\nmaxReleases: 10\ndelivery: Secret\n";
}

std::string PodYaml(const std::string& name, const std::string& runtime_class) {
  return "apiVersion: v1\nkind: Pod\nmetadata:\n  name: " + name +
         "\n  namespace: team-a\n  labels: {portcullis.dev/policy: llama}\nspec:\n  nodeName: lab-node\n" +
         (runtime_class.empty() ? "" : "  runtimeClassName: " + runtime_class + "\n") +
         "  serviceAccountName: inference\n  automountServiceAccountToken: false\n"
         "  containers: [{name: serve, image: \"registry.example/serve:1\"}]\n";
}

std::string RuntimeClassYaml(const std::string& name) {
  return "apiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata: {name: " + name + "}\nhandler: " + name +
         "\n---\n";
}

template <typename T>
T Flipped(const T& value) {
  auto bytes = value.array();
  bytes[0] ^= std::byte{1};
  return T(bytes);
}

}  // namespace

bool PodStory::as_expected() const {
  if (!admitted)
    return std::ranges::any_of(expected_reasons,
                               [&](const std::string& r) { return refusal.find(r) != std::string::npos; });
  if (expected_reasons.empty()) return verdict == "allow" && main_started;
  return verdict == "deny" && !main_started && secret.empty() &&
         std::ranges::find(expected_reasons, reason) != expected_reasons.end();
}

std::vector<PodStory> MainJob::Pods() {
  const auto story = [](std::string name, std::string about, std::vector<std::string> reasons,
                        std::string tee = "snp") {
    PodStory out;
    out.tee = std::move(tee);
    out.name = std::move(name);
    out.about = std::move(about);
    out.expected_reasons = std::move(reasons);
    return out;
  };
  return {story("a-right", "the measurement that the policy pins", {}),
          story("b-measurement", "one bit of the measurement differs", {"MeasurementNotAllowed"}),
          story("c-debug", "launched with debug on", {"DebugEnabled"}),
          story("d-old-tcb", "a TCB below the policy's floor", {"TcbBelowFloor"}),
          story("e-replay", "evidence recorded from pod a, sent again",
                {"ReportDataMismatch", "ChallengeReused"}),
          story("f-init-data", "init-data changed after admission", {"InitDataMismatch"}),
          story("g-not-confidential", "no confidential RuntimeClass", {"NotConfidential"}, ""),
          story("h-tdx", "an Intel TD with the kernel command line that the policy pins", {}, "tdx"),
          story("i-tdx-old-tcb", "an Intel TD on a platform without its microcode update",
                {"TcbStatusNotAllowed"}, "tdx")};
}

Result<> MainJob::PrepareCluster() {
  TRY(installation_.cluster().Kubectl(
      {"apply", "-f", "-"},
      RuntimeClassYaml(kSnpRuntimeClass) + RuntimeClassYaml(kTdxRuntimeClass) +
          "apiVersion: v1\nkind: Node\nmetadata: {name: lab-node}\n---\n"
          "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: inference, namespace: team-a}\n"));
  return Done{};
}

Result<> MainJob::AwaitAccepted(const kube::Resource& resource, const std::string& name) {
  std::string last;
  const bool accepted = Eventually(kDecisionLimit, [&] {
    const auto object = installation_.cluster().api().Get(resource, {kTeam, name});
    if (!object || object->Find("status") == nullptr) return false;
    if (const Json* condition = kube::FindCondition(*object->Find("status"), "Accepted"))
      last = condition->TextAt({"message"});
    return kube::IsConditionTrue(*object->Find("status"), "Accepted");
  });
  if (!accepted)
    return Error{ReasonCode::kInternalError, "the broker did not accept an object", name + ": " + last};
  return Done{};
}

Result<> MainJob::PublishKeyAndPolicy() {
  const auto desk = installation_.folder() / "key-owner";
  std::filesystem::create_directories(desk);
  const auto run = [&](std::vector<std::string> arguments) -> Result<std::string> {
    std::string shown = "portcullis";
    for (const std::string& argument : arguments) shown += " " + argument;
    narrate_("key owner: " + shown);
    auto finished = TRY(installation_.Cli(std::move(arguments)));
    if (finished.exit_code != 0)
      return Error{ReasonCode::kInternalError, "the CLI failed",
                   shown + ": " + ReadText(installation_.logs() / "cli.log")};
    return std::move(finished.output);
  };
  ByteBuffer key(32);
  crypto::SystemRandom().Fill(key);
  model_key_ = ToText(key);
  WriteText(desk / "model.key", model_key_, 0600);
  WriteText(desk / "policy.yaml", PolicyYaml());

  TRY(run({"key", "generate", "--out", desk / "authority.key", "--public", desk / "authority.pub"}));
  const std::string wrapped = TRY(
      run({"key", "wrap", "--key", desk / "model.key", "--authority", desk / "authority.key", "--namespace",
           kTeam, "--name", kKeyName, "--resource", "team-a/model-key/llama-70b", "--version", "1"}));
  const std::string signed_policy =
      TRY(run({"policy", "sign", "--key", desk / "authority.key", "--in", desk / "policy.yaml"}));
  narrate_("kubectl apply: ModelKey llama-70b, ReleasePolicy llama");
  TRY(installation_.cluster().Kubectl({"apply", "-f", "-"}, wrapped));
  TRY(installation_.cluster().Kubectl({"apply", "-f", "-"}, signed_policy));
  TRY(AwaitAccepted(kube::kModelKeys, kKeyName));
  TRY(AwaitAccepted(kube::kReleasePolicies, kPolicyName));
  return Done{};
}

Result<Json> MainJob::CreatePod(const std::string& name, const std::string& runtime_class) {
  const Json pod = TRY(codec::ParseYaml(PodYaml(name, runtime_class)));
  return installation_.cluster().api().Create(kube::kPods, kTeam, pod);
}

HostConduct MainJob::ConductFor(const PodStory& story, const Json& pod) const {
  HostConduct conduct;
  conduct.launch = lab::LaunchState::Milan();
  const auto recording = installation_.folder() / "recorded-request.json";
  switch (story.name.front()) {
    case 'a':
      conduct.record = recording;
      break;
    case 'b':
      conduct.launch.measurement = Flipped(conduct.launch.measurement);
      break;
    case 'c':
      conduct.launch.policy |= 1u << 19;
      break;
    case 'd':
      conduct.launch.SetTcb({.fmc = 0, .bootloader = 3, .tee = 0, .snp = 8, .microcode = 0x73});
      break;
    case 'e':
      conduct.replay = recording;
      break;
    case 'f': {
      auto init_data = codec::DecodeInitDataAnnotation(kube::AnnotationOf(pod, kube::kInitDataAnnotation));
      if (init_data) {
        init_data->text += "# changed by the host\n";
        conduct.init_data = codec::EncodeInitDataAnnotation(*init_data);
      }
      break;
    }
    case 'h':
      conduct.td = lab::TdState();
      break;
    case 'i':
      conduct.td = lab::TdState::Outdated();
      break;
    default:
      break;
  }
  return conduct;
}

Result<> MainJob::RunPod(PodStory& story) {
  const auto pod = CreatePod(story.name, story.tee == "snp"   ? kSnpRuntimeClass
                                         : story.tee == "tdx" ? kTdxRuntimeClass
                                                              : "");
  if (!pod) {
    story.refusal = pod.error().ToString();
    return Done{};
  }
  story.admitted = true;
  const auto outcome = TRY(kubelet_.RunPod({kTeam, story.name}, ConductFor(story, *pod)));
  story.agent_exit_code = outcome.agent_exit_code;
  story.agent_line = outcome.agent_line;
  story.main_started = outcome.main_started;
  story.unsealed = outcome.unsealed;
  story.sealed_variable = outcome.sealed_variable;
  return AwaitDecision(story);
}

Result<Json> MainJob::KeyReleaseOf(const std::string& pod_name) {
  const auto pod = TRY(installation_.cluster().api().Get(kube::kPods, {kTeam, pod_name}));
  return installation_.cluster().api().Get(
      kube::kKeyReleases, {kTeam, "portcullis-" + std::string(kube::LabelOf(pod, kube::kReleaseIdLabel))});
}

Result<bool> MainJob::SecretExists(const std::string& name) {
  const auto secret = installation_.cluster().api().Get(kube::kSecrets, {kTeam, name});
  if (secret) return true;
  if (secret.error().code == ReasonCode::kNotFound) return false;
  return secret.error();
}

bool MainJob::SecretWasEverWritten(const std::string& name) const {
  std::istringstream lines(ReadText(installation_.cluster().Variable("AUDIT_LOG")));
  for (std::string line; std::getline(lines, line);) {
    const auto event = codec::ParseJson(line);
    if (!event || event->TextAt({"objectRef", "resource"}) != "secrets" ||
        event->TextAt({"objectRef", "name"}) != name)
      continue;
    const std::string_view verb = event->TextAt({"verb"});
    const Json* code = event->At({"responseStatus", "code"});
    const bool written = verb == "create" || verb == "update" || verb == "patch";
    if (written && code != nullptr && code->if_int64().value_or(500) < 300) return true;
  }
  return false;
}

Result<> MainJob::AwaitDecision(PodStory& story) {
  // Status, Secret and Event follow the decision within moments; all of them are waited for.
  const bool decided = Eventually(kDecisionLimit, [&] {
    const auto release = KeyReleaseOf(story.name);
    if (!release) return false;
    story.verdict = release->TextAt({"status", "verdict"});
    story.secret = release->TextAt({"status", "secretName"});
    story.all_reasons.clear();
    if (const Json* reasons = release->At({"status", "reasons"});
        reasons != nullptr && reasons->if_array() != nullptr)
      for (const Json& reason : *reasons->if_array()) story.all_reasons.push_back(*reason.if_string());
    story.reason = story.all_reasons.empty() ? "" : story.all_reasons.front();
    if (const Json* sequence = release->At({"status", "auditSequence"}))
      story.audit_sequence = sequence->if_int64().value_or(0);
    const auto pod = installation_.cluster().api().Get(kube::kPods, {kTeam, story.name});
    const auto events = installation_.cluster().api().List(kube::kEvents, kTeam, {});
    if (!pod || !events) return false;
    story.event.clear();
    for (const Json& event : events->items)
      if (event.TextAt({"regarding", "uid"}) == kube::UidOf(*pod))
        story.event = std::string(event.TextAt({"reason"})) + ": " + std::string(event.TextAt({"note"}));
    const auto created = ParseTimestamp(pod->TextAt({"metadata", "creationTimestamp"}));
    const auto decided_at = ParseTimestamp(release->TextAt({"status", "decidedAt"}));
    if (created && decided_at)
      story.seconds_to_key = std::chrono::duration<double>(*decided_at - *created).count();
    const bool allowed_by_plan = story.expected_reasons.empty();
    return !story.event.empty() && story.verdict == (allowed_by_plan ? "allow" : "deny");
  });
  if (!decided)
    return Error{ReasonCode::kInternalError, "no decision showed in KeyRelease and Events",
                 story.name + ": " + story.agent_line};
  return Done{};
}

Result<std::string> MainJob::PhaseAtBroker(const std::string& id) {
  const auto listed = TRY(installation_.Cli({"releases", "-o", "json"}));
  const Json answer = TRY(codec::ParseJson(listed.output));
  if (const Json* releases = answer.Find("releases"); releases != nullptr && releases->if_array() != nullptr)
    for (const Json& release : *releases->if_array())
      if (release.TextAt({"id"}) == id) return std::string(release.TextAt({"phase"}));
  return Error{ReasonCode::kNotFound, "no such release", id};
}

Result<> MainJob::DeletePod(const std::string& name) {
  const auto release = TRY(KeyReleaseOf(name));
  const std::string secret(release.TextAt({"status", "secretName"}));
  const std::string id(release.TextAt({"spec", "releaseId"}));
  TRY(installation_.cluster().Kubectl(
      {"delete", "pod", name, "-n", kTeam, "--grace-period=0", "--force", "--wait=false"}));
  const bool gone = Eventually(std::chrono::seconds(60), [&] {
    const auto exists = SecretExists(secret);
    const auto phase = PhaseAtBroker(id);
    return exists && !*exists && phase && *phase == "Revoked";
  });
  if (!gone) return Error{ReasonCode::kInternalError, "the release was not revoked", id};
  return Done{};
}

Result<std::vector<std::string>> MainJob::FindLeaks() {
  std::vector<std::pair<std::string, std::string>> forms = {{"raw", model_key_},
                                                            {"hex", codec::EncodeHex(AsBytes(model_key_))}};
  // base64 of the key at each of the three alignments that a surrounding text can give it.
  for (std::size_t shift = 0; shift < 3; ++shift) {
    const std::string padded = std::string(shift, 'x') + model_key_;
    const std::string encoded = codec::EncodeBase64(AsBytes(padded)),
                      url = codec::EncodeBase64Url(AsBytes(padded));
    forms.emplace_back("base64", encoded.substr(4, 36));
    forms.emplace_back("base64url", url.substr(4, 36));
  }
  std::vector<std::string> leaks;
  const auto search = [&](const std::string& where, const std::string& content) {
    for (const auto& [form, bytes] : forms)
      if (content.find(bytes) != std::string::npos) leaks.push_back(where + " (" + form + ")");
  };
  const auto search_tree = [&](const std::filesystem::path& folder) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
      if (entry.is_regular_file() && entry.path().string().find("/key-owner/") == std::string::npos)
        search(entry.path().string(), ReadText(entry.path()));
  };
  search_tree(installation_.cluster().folder());  // etcd's data, logs of the control plane
  search_tree(installation_.folder());            // the broker's database, our logs
  for (const char* component : {"broker", "controller", "webhook"})
    search(std::string(component) + " /metrics", installation_.Ops(component, "/metrics"));
  for (const char* kind :
       {"pods", "secrets", "configmaps", "modelkeys.portcullis.dev", "releasepolicies.portcullis.dev",
        "keyreleases.portcullis.dev", "events.events.k8s.io", "leases.coordination.k8s.io"})
    search(std::string("API objects: ") + kind,
           TRY(installation_.cluster().Kubectl({"get", kind, "--all-namespaces", "-o", "json"})));
  return leaks;
}

}  // namespace portcullis::e2e

#include "tests/e2e/kubelet.h"

#include "codec/init_data.h"
#include "codec/text.h"
#include "crypto/digest.h"
#include "kube/objects.h"

namespace portcullis::e2e {
namespace {

using codec::Json;

constexpr std::chrono::seconds kSecretLimit{20};

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  if (const auto at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

std::string LastLine(const std::string& text) {
  const auto end = text.find_last_not_of('\n');
  if (end == std::string::npos) return "";
  const auto start = text.rfind('\n', end);
  return text.substr(start == std::string::npos ? 0 : start + 1,
                     end - (start == std::string::npos ? -1 : start));
}

/// What the host starts, with the digest of the init-data where the hardware keeps it.
Json Launched(const HostConduct& conduct, const crypto::Sha256Digest& init_data) {
  if (!conduct.td) {
    lab::LaunchState launch = conduct.launch;
    launch.host_data = snp::HostData(init_data.array());
    return lab::ToJson(launch);
  }
  lab::TdState td = *conduct.td;
  std::array<std::byte, tdx::Measurement::kSize> config_id{};
  std::ranges::copy(init_data.array(), config_id.begin());
  td.mr_config_id = tdx::Measurement(config_id);
  return lab::ToJson(td);
}

Json ContainerState(std::string_view name, std::string_view state, Json detail) {
  return Json::Object({{"name", name},
                       {"image", "lab"},
                       {"imageID", ""},
                       {"ready", state == "running"},
                       {"restartCount", 0},
                       {"state", Json::Object({{std::string(state), std::move(detail)}})}});
}

}  // namespace

std::filesystem::path Kubelet::VolumeOf(const Json& pod) const {
  return volumes_ / std::string(kube::UidOf(pod));
}

Result<> Kubelet::Report(const kube::ObjectKey& pod, const Json& status) {
  TRY(installation_.cluster().api().Patch(kube::kPods, pod, "status", kube::PatchType::kMerge,
                                          Json::Object({{"status", status}})));
  return Done{};
}

Result<Process> Kubelet::StartAgent(const Json& pod, const HostConduct& conduct,
                                    const std::filesystem::path& log) {
  const Json* containers = pod.At({"spec", "initContainers"});
  if (containers == nullptr || containers->if_array()->front().TextAt({"name"}) != "portcullis-agent")
    return Error{ReasonCode::kInternalError, "the agent is not the first init container"};
  const Json& agent = containers->if_array()->front();
  // The downward API: the one variable is a fieldRef to the annotation.
  const std::string annotation =
      conduct.init_data.value_or(std::string(kube::AnnotationOf(pod, kube::kInitDataAnnotation)));
  const auto init_data = TRY(codec::DecodeInitDataAnnotation(annotation));

  const auto volume = VolumeOf(pod);
  std::filesystem::create_directories(volume);
  const auto launch_file = volumes_ / (std::string(kube::UidOf(pod)) + ".launch.json");
  WriteText(launch_file, codec::ToText(Launched(conduct, crypto::Sha256(AsBytes(init_data.text)))));
  std::vector<std::string> arguments = {(BinFolder() / "portcullis-agent-lab").string()};
  for (const Json& argument : *agent.Find("args")->if_array())
    arguments.push_back(Replaced(*argument.if_string(), "/run/portcullis", volume.string()));
  arguments.insert(arguments.end(), {"--timeout", std::to_string(conduct.agent_timeout.count())});
  return Process::Start({arguments,
                         {{"PORTCULLIS_INIT_DATA", annotation},
                          {"PORTCULLIS_LAB_PKI", installation_.pki_folder().string()},
                          {"PORTCULLIS_LAB_LAUNCH", launch_file.string()},
                          {"PORTCULLIS_LAB_RECORD", conduct.record.string()},
                          {"PORTCULLIS_LAB_REPLAY", conduct.replay.string()}},
                         log});
}

Result<std::string> Kubelet::SecretValue(const Json& pod, const Json& variable) {
  const Json* reference = variable.At({"valueFrom", "secretKeyRef"});
  if (reference == nullptr) return std::string();
  const auto secret = installation_.cluster().api().Get(
      kube::kSecrets, {kube::KeyOf(pod).namespace_name, std::string(reference->TextAt({"name"}))});
  if (!secret && secret.error().code == ReasonCode::kNotFound) return std::string();
  if (!secret) return secret.error();
  return ToText(TRY(codec::DecodeBase64(secret->TextAt({"data", reference->TextAt({"key"})}))));
}

Result<Kubelet::Outcome> Kubelet::RunPod(const kube::ObjectKey& key, const HostConduct& conduct) {
  kube::Api& api = installation_.cluster().api();
  const Json pod = TRY(api.Get(kube::kPods, key));
  const auto log = installation_.logs() / ("agent-" + key.name + ".log");
  TRY(Report(
      key, Json::Object({{"phase", "Pending"},
                         {"initContainerStatuses", Json::Array({ContainerState("portcullis-agent", "running",
                                                                               codec::JsonObject())})}})));
  Process agent = TRY(StartAgent(pod, conduct, log));
  Outcome outcome;
  outcome.agent_exit_code = agent.Wait(conduct.agent_timeout + std::chrono::seconds(30)).value_or(-1);
  outcome.agent_line = LastLine(ReadText(log));

  const Json& main = pod.At({"spec", "containers"})->if_array()->front();
  const std::string main_name(main.TextAt({"name"}));
  const Json ended =
      ContainerState("portcullis-agent", "terminated", Json::Object({{"exitCode", outcome.agent_exit_code}}));
  if (outcome.agent_exit_code != 0) {
    TRY(Report(key, Json::Object({{"phase", "Pending"}, {"initContainerStatuses", Json::Array({ended})}})));
    return outcome;
  }
  // The gate: as kubelet, the container is created only once each Secret in its environment is there.
  Json gated;
  for (const Json& variable : *main.Find("env")->if_array())
    if (variable.TextAt({"name"}) == "PORTCULLIS_SEALED_KEY") gated = variable;
  TRY(Report(
      key, Json::Object(
               {{"phase", "Pending"},
                {"initContainerStatuses", Json::Array({ended})},
                {"containerStatuses",
                 Json::Array({ContainerState(main_name, "waiting",
                                             Json::Object({{"reason", "CreateContainerConfigError"}}))})}})));
  outcome.main_started = Eventually(kSecretLimit, [&] {
    auto value = SecretValue(pod, gated);
    outcome.sealed_variable = value ? *value : "";
    return !outcome.sealed_variable.empty();
  });
  if (!outcome.main_started) return outcome;
  const std::string key_name = std::string(kube::LabelOf(pod, kube::kKeyLabel));
  for (const auto& entry : std::filesystem::directory_iterator(VolumeOf(pod)))
    if (key_name.empty() || entry.path().filename() == key_name) outcome.unsealed = ReadText(entry.path());
  TRY(Report(key, Json::Object({{"phase", "Running"},
                                {"initContainerStatuses", Json::Array({ended})},
                                {"containerStatuses", Json::Array({ContainerState(main_name, "running",
                                                                                  codec::JsonObject())})}})));
  return outcome;
}

}  // namespace portcullis::e2e

#include "tests/e2e/installation.h"

#include "codec/text.h"
#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "http/client.h"

namespace portcullis::e2e {
namespace {

using codec::Json;

constexpr std::chrono::seconds kReadyLimit{60};

struct Authority {
  ByteBuffer der;
  SecretBytes key;
};

void WriteSecret(const std::filesystem::path& path, const SecretBytes& secret) {
  secret.Expose([&](Bytes bytes) { WriteText(path, AsText(bytes), 0400); });
}

/// A leaf under `authority` as NAME.crt and NAME.key.
Result<> WriteLeaf(const std::filesystem::path& folder, const std::string& name,
                   const std::string& common_name, bool server, const Authority& authority) {
  const WallTime now = SystemClock().Now();
  crypto::CertificateTemplate wanted{.common_name = common_name,
                                     .dns_names = {},
                                     .ip_addresses = {},
                                     .uris = {},
                                     .server_auth = server,
                                     .client_auth = !server,
                                     .not_before = now - std::chrono::minutes(5),
                                     .not_after = now + std::chrono::hours(24)};
  if (server) {
    wanted.dns_names = {"localhost"};
    wanted.ip_addresses = {"127.0.0.1"};
  }
  const auto issued = TRY(crypto::IssueCertificate(wanted, authority.der, authority.key));
  WriteText(folder / (name + ".crt"), codec::EncodePem("CERTIFICATE", issued.certificate_der));
  WriteSecret(folder / (name + ".key"), issued.private_key_pem);
  return Done{};
}

}  // namespace

Result<std::unique_ptr<Installation>> Installation::Prepare(Cluster& cluster,
                                                            const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder / "log");
  std::unique_ptr<Installation> installation(new Installation(cluster, folder));
  TRY(installation->MakeRoots());
  TRY(installation->MakeCertificates());
  for (std::uint16_t* port :
       {&installation->guest_port_, &installation->broker_port_, &installation->webhook_port_})
    *port = FreePort();
  for (const char* component : {"broker", "controller", "webhook"})
    installation->ops_ports_[component] = FreePort();
  return installation;
}

Result<> Installation::MakeRoots() {
  const auto log = logs() / "lab-pki.log";
  const auto made =
      TRY(RunCommand({(BinFolder() / "portcullis-lab-pki").string(), pki_folder().string()}, log));
  if (made.exit_code != 0)
    return Error{ReasonCode::kInternalError, "the lab's roots could not be made", ReadText(log)};
  pki_ = TRY(lab::LabPki::Load(pki_folder()));
  return Done{};
}

Result<> Installation::MakeCertificates() {
  const WallTime now = SystemClock().Now();
  auto root = TRY(crypto::IssueCertificate({.common_name = "portcullis-demo-ca",
                                            .dns_names = {},
                                            .ip_addresses = {},
                                            .uris = {},
                                            .is_ca = true,
                                            .not_before = now - std::chrono::minutes(5),
                                            .not_after = now + std::chrono::hours(48)}));
  const Authority authority{std::move(root.certificate_der), std::move(root.private_key_pem)};
  WriteText(folder_ / "ca.crt", codec::EncodePem("CERTIFICATE", authority.der));
  TRY(WriteLeaf(folder_, "guest", "portcullis-kbs", true, authority));
  TRY(WriteLeaf(folder_, "broker", "portcullis-kbs-broker", true, authority));
  TRY(WriteLeaf(folder_, "operator", "portcullis-operator", false, authority));
  TRY(WriteLeaf(folder_, "auditor", "portcullis-auditor", false, authority));
  SecretBytes kek(32);
  kek.ExposeMutable([](std::span<std::byte> bytes) { crypto::SystemRandom().Fill(bytes); });
  WriteSecret(folder_ / "kek", kek);
  return Done{};
}

std::string Installation::Values() const {
  const auto file = [&](const char* name) { return Json((folder_ / name).string()); };
  const auto listen = [](std::uint16_t port) {
    return Json::Object({{"address", "127.0.0.1"}, {"port", port}});
  };
  const std::string guest_url = "https://127.0.0.1:" + std::to_string(guest_port_);
  Json guest = listen(guest_port_), broker = listen(broker_port_);
  guest.Set("url", guest_url).Set("certificateFile", file("guest.crt")).Set("keyFile", file("guest.key"));
  broker.Set("certificateFile", file("broker.crt"))
      .Set("keyFile", file("broker.key"))
      .Set("clientCaFile", file("ca.crt"));
  // As on a site without a way out: what the vendors would publish lies in the directory, nobody is asked.
  const Json collateral =
      Json::Object({{"directory", (pki_folder() / "collateral").string()},
                    {"fetch", Json::Object({{"amdKds", ""}, {"intelPcs", ""}, {"intelRootCrl", ""}})}});
  const Json operator_config =
      Json::Object({{"cluster", "demo"},
                    {"broker", Json::Object({{"url", "https://127.0.0.1:" + std::to_string(broker_port_)},
                                             {"caFile", file("ca.crt")},
                                             {"certificateFile", file("operator.crt")},
                                             {"keyFile", file("operator.key")}})},
                    {"guest", Json::Object({{"url", guest_url}, {"caFile", file("ca.crt")}})},
                    {"webhook", listen(webhook_port_)},
                    {"ops", listen(ops_ports_.at("controller"))}});
  return codec::ToText(Json::Object(
      {{"kbs",
        Json::Object({{"replicas", 0},
                      {"persistence", Json::Object({{"enabled", false}})},
                      {"config", Json::Object({{"guest", guest},
                                               {"broker", broker},
                                               {"ops", listen(ops_ports_.at("broker"))},
                                               {"store", Json::Object({{"path", database().string()}})},
                                               {"collateral", collateral},
                                               {"kek", Json::Object({{"file", file("kek")}})}})}})},
       {"operator", Json::Object({{"config", operator_config}})},
       {"controller", Json::Object({{"replicas", 0}})},
       // The API server dials localhost, and expects the certificate of the Service all the same.
       {"webhook",
        Json::Object({{"replicas", 0},
                      {"service", Json::Object({{"port", webhook_port_}, {"externalName", "localhost"}})}})},
       {"releaseNamespaces", Json::Array({kTeam})}}));
}

Result<> Installation::InstallChart() {
  TRY(cluster_.Kubectl({"create", "namespace", kSystemNamespace}));
  TRY(cluster_.Kubectl({"create", "namespace", kTeam}));
  WriteText(folder_ / "values.json", Values());
  const auto log = logs() / "helm.log";
  const auto installed =
      TRY(RunCommand({cluster_.helm(), "install", "portcullis", (SourceRoot() / "charts/portcullis").string(),
                      "--namespace", kSystemNamespace, "--kubeconfig", cluster_.kubeconfig().string(),
                      "--values", (folder_ / "values.json").string()},
                     log,
                     {{"HELM_CACHE_HOME", (folder_ / "helm").string()},
                      {"HELM_CONFIG_HOME", (folder_ / "helm").string()},
                      {"HELM_DATA_HOME", (folder_ / "helm").string()}}));
  if (installed.exit_code != 0)
    return Error{ReasonCode::kInternalError, "helm install failed", ReadText(log)};
  TRY(ExtractConfiguration("portcullis-kbs", "kbs.yaml"));
  return ExtractConfiguration("portcullis-operator", "operator.yaml");
}

Result<> Installation::ExtractConfiguration(const std::string& config_map, const std::string& entry) {
  const std::string text =
      TRY(cluster_.Kubectl({"get", "configmap", config_map, "-n", kSystemNamespace, "-o", "json"}));
  const Json object = TRY(codec::ParseJson(text));
  WriteText(folder_ / entry, object.TextAt({"data", entry}));
  return Done{};
}

Result<> Installation::AwaitReady(Process& process, const std::string& component) {
  const bool ready =
      Eventually(kReadyLimit, [&] { return Ops(component, "/readyz") == "ok\n" || !process.running(); });
  if (!process.running() || !ready)
    return Error{ReasonCode::kInternalError, "a process did not become ready",
                 component + ": " + Ops(component, "/readyz") + " see " + logs().string()};
  return Done{};
}

Result<> Installation::StartBroker(const std::map<std::string, std::string>& environment) {
  auto all = environment;
  all["PORTCULLIS_LAB_PKI"] = pki_folder().string();
  broker_ = TRY(Process::Start(
      {{(BinFolder() / "portcullis-kbs-lab").string(), "--config", (folder_ / "kbs.yaml").string()},
       all,
       logs() / "kbs.log"}));
  return AwaitReady(*broker_, "broker");
}

Result<Process> Installation::LaunchController(const std::map<std::string, std::string>& environment) {
  const auto kubeconfig = TRY(cluster_.KubeconfigFor(kSystemNamespace, "portcullis-controller"));
  return Process::Start({{(BinFolder() / "portcullis-operator-lab").string(), "controller", "--config",
                          (folder_ / "operator.yaml").string(), "--kubeconfig", kubeconfig.string(),
                          "--ops-port", std::to_string(ops_ports_.at("controller"))},
                         environment,
                         logs() / "controller.log"});
}

Result<> Installation::StartController() {
  controller_ = TRY(LaunchController({}));
  return AwaitReady(*controller_, "controller");
}

Result<> Installation::StartDoomedController(const std::string& fail_point) {
  controller_ = TRY(LaunchController({{"PORTCULLIS_FAILPOINT", fail_point + "=kill"}}));
  return Done{};
}

Result<> Installation::DropLease() {
  TRY(cluster_.Kubectl(
      {"delete", "lease", "portcullis-controller", "-n", kSystemNamespace, "--ignore-not-found"}));
  return Done{};
}

Result<> Installation::StartWebhook() {
  const auto kubeconfig = TRY(cluster_.KubeconfigFor(kSystemNamespace, "portcullis-webhook"));
  webhook_ = TRY(Process::Start({{(BinFolder() / "portcullis-operator").string(), "webhook", "--config",
                                  (folder_ / "operator.yaml").string(), "--kubeconfig", kubeconfig.string(),
                                  "--ops-port", std::to_string(ops_ports_.at("webhook"))},
                                 {},
                                 logs() / "webhook.log"}));
  return AwaitReady(*webhook_, "webhook");
}

Result<> Installation::StartAll() {
  TRY(StartBroker());
  TRY(StartWebhook());
  return StartController();
}

Result<Finished> Installation::Cli(std::vector<std::string> arguments, std::string_view input) {
  arguments.insert(arguments.begin(), (BinFolder() / "portcullis").string());
  return RunCommand(arguments, logs() / "cli.log",
                    {{"PORTCULLIS_KBS", "https://127.0.0.1:" + std::to_string(broker_port_)},
                     {"PORTCULLIS_CA", (folder_ / "ca.crt").string()},
                     {"PORTCULLIS_CERT", (folder_ / "auditor.crt").string()},
                     {"PORTCULLIS_KEY", (folder_ / "auditor.key").string()}},
                    input);
}

std::string Installation::Ops(const std::string& component, const std::string& path) const {
  http::ClientOptions options;
  options.base_url = "http://127.0.0.1:" + std::to_string(ops_ports_.at(component));
  options.timeout = std::chrono::seconds(5);
  const auto client = http::Client::Create(options);
  if (!client) return "";
  const auto response = (*client)->Send("GET", path, {}, "");
  return response ? response->body : "";
}

}  // namespace portcullis::e2e

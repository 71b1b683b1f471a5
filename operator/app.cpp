#include "operator/app.h"

#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <iostream>
#include <memory>
#include <thread>

#include "base/heap.h"
#include "base/log.h"
#include "base/secret_bytes.h"
#include "codec/text.h"
#include "crypto/digest.h"
#include "kube/leader_election.h"
#include "operator/admission/webhook.h"
#include "operator/controller.h"
#include "operator/options.h"

namespace portcullis::control {
namespace {

constexpr int kExitFault = 1, kExitUsage = 2;

std::atomic<bool> stop_requested{false};
void OnSignal(int) { stop_requested = true; }

int Fail(StaticText what, const Error& error) {
  Log(LogLevel::kError, what, {{"error", error.ToString()}});
  return error.code == ReasonCode::kConfigurationInvalid ? kExitUsage : kExitFault;
}

Result<std::unique_ptr<kube::Api>> ConnectApi(const Options& options, metrics::Metrics& metrics,
                                              kube::ApiConduct conduct = {}) {
  if (!options.kubeconfig.empty())
    return kube::ConnectKubeconfig(options.kubeconfig, metrics, std::move(conduct));
  kube::ApiOptions in_cluster = TRY(kube::InClusterOptions());
  in_cluster.conduct = std::move(conduct);
  return kube::Connect(in_cluster, metrics);
}

std::string ProcessIdentity(Random& random) {
  char host[256] = {};
  if (gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
  ByteBuffer suffix(4);
  random.Fill(suffix);
  return std::string(host) + "_" + codec::EncodeHex(suffix);
}

/// What runs in this process, and what /readyz says of it.
struct Parts {
  bool with_webhook;
  std::mutex mutex;
  std::unique_ptr<kube::Api> webhook_api;
  std::unique_ptr<Broker> webhook_broker;
  std::unique_ptr<Webhook> webhook;
  std::unique_ptr<Controller> controller;

  std::string NotReady() {
    const std::lock_guard lock(mutex);
    if (with_webhook && !webhook) return "webhook: not serving yet";
    if (webhook)
      if (const std::string missing = webhook->NotReady(); !missing.empty()) return "webhook: " + missing;
    if (controller)
      if (const std::string missing = controller->NotReady(); !missing.empty())
        return "controller: " + missing;
    return "";
  }
};

http::Router OpsRoutes(const metrics::Metrics& metrics, Parts& parts) {
  http::Router router;
  router.Add("GET", "/metrics", [&metrics](const http::Request&) {
    return http::Response::Text(200, metrics.Exposition(), "text/plain; version=0.0.4; charset=utf-8");
  });
  router.Add("GET", "/livez", [](const http::Request&) { return http::Response::Text(200, "ok\n"); });
  router.Add("GET", "/readyz", [&parts](const http::Request&) {
    const std::string missing = parts.NotReady();
    return missing.empty() ? http::Response::Text(200, "ok\n") : http::Response::Text(503, missing + "\n");
  });
  return router;
}

/// The exit code where it can't; 0 while it serves.
int StartWebhook(const Options& options, Random& random, const Clock& clock, metrics::Metrics& metrics,
                 Parts& parts) {
  auto api = ConnectApi(options, metrics);
  if (!api) return Fail("API server can't be used", api.error());
  // The API server waits 5 s for a review, and a review may wait for this.
  auto broker = ConnectBroker(options, {}, std::chrono::seconds(2));
  if (!broker) return Fail("broker can't be used", broker.error());
  parts.webhook_api = std::move(*api);
  parts.webhook_broker = std::move(*broker);
  auto webhook = Webhook::Start(options, *parts.webhook_api, *parts.webhook_broker, random, clock, metrics,
                                stop_requested);
  if (!webhook) return Fail("webhook can't be served", webhook.error());
  if (!*webhook) return 0;  // told to stop before there was anything to serve
  Log(LogLevel::kInfo, "webhook serving", {{"port", std::to_string((*webhook)->port())}});
  const std::lock_guard lock(parts.mutex);
  parts.webhook = std::move(*webhook);
  return 0;
}

int RunController(const Options& options, Random& random, const Clock& clock, metrics::Metrics& metrics,
                  Parts& parts) {
  const auto lease_api = ConnectApi(options, metrics, kube::kLeaseConduct);
  if (!lease_api) return Fail("API server can't be used", lease_api.error());
  kube::LeaderElection election(
      **lease_api,
      {.lease = {options.namespace_name, options.lease_name}, .identity = ProcessIdentity(random)}, clock,
      metrics);
  // Work may still be under way when leadership is lost, and another replica may lead by then.
  const auto leads = [&election] { return election.IsLeader(); };
  // The work queues try again by themselves, and stopping waits for what is under way.
  const auto api = ConnectApi(options, metrics, {.max_tries = 2, .may_write = leads});
  if (!api) return Fail("API server can't be used", api.error());
  const auto broker = ConnectBroker(options, leads);
  if (!broker) return Fail("broker can't be used", broker.error());
  const auto start = [&] {
    auto controller = std::make_unique<Controller>(options, **api, **broker, clock, metrics);
    controller->Start();
    const std::lock_guard lock(parts.mutex);
    parts.controller = std::move(controller);
  };
  const auto stop = [&] {
    std::unique_ptr<Controller> controller;
    {
      const std::lock_guard lock(parts.mutex);
      controller = std::move(parts.controller);
    }
    if (controller) controller->Stop();
  };
  const auto led = election.Run(start, stop, stop_requested);
  return led ? 0 : Fail("leadership was lost", led.error());
}

int Run(const Options& options, bool with_controller, bool with_webhook, std::string_view component) {
  SetLogLevel(options.log_level);
  ShareHeaps();
  if (const auto hardened = HardenProcess(); !hardened)
    return Fail("process can't be hardened", hardened.error());
  signal(SIGPIPE, SIG_IGN);
  const SystemClock clock;
  crypto::SystemRandom random;
  metrics::Metrics metrics(component);
  Parts parts{.with_webhook = with_webhook,
              .mutex = {},
              .webhook_api = {},
              .webhook_broker = {},
              .webhook = {},
              .controller = {}};
  const auto ops = http::Server::Start(options.ops, OpsRoutes(metrics, parts), metrics);
  if (!ops) return Fail("ops port can't be served", ops.error());
  int exit_code = with_webhook ? StartWebhook(options, random, clock, metrics, parts) : 0;
  if (exit_code != 0) return exit_code;
  if (with_controller)
    exit_code = RunController(options, random, clock, metrics, parts);
  else
    while (!stop_requested) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  (*ops)->Stop(std::chrono::seconds(1));
  return exit_code;
}

}  // namespace

int OperatorMain(int argc, char** argv) {
  CLI::App app{
      "Portcullis operator: the controller that keeps releases and Secrets, and the admission webhook."};
  app.footer(
      "Examples:\n  portcullis-operator controller --config /etc/portcullis/operator.yaml\n"
      "  portcullis-operator webhook --config /etc/portcullis/operator.yaml\n\n"
      "Exit codes: 0 stopped by a signal, 1 our fault or leadership lost, 2 usage or configuration.");
  app.set_version_flag("--version", "portcullis-operator 0.1.0");
  app.require_subcommand(1);
  std::string config, kubeconfig;
  int ops_port = -1;
  for (const auto& [name, description] :
       {std::pair{"controller", "Run the controller, as leader or in wait"},
        std::pair{"webhook", "Serve admission"}, std::pair{"all", "Run both in one process"}}) {
    CLI::App* command = app.add_subcommand(name, description);
    command->add_option("--config", config, "YAML configuration (docs/reference/api.md)")->required();
    command->add_option("--kubeconfig", kubeconfig, "Overrides kubernetes.kubeconfig of the configuration");
    command->add_option("--ops-port", ops_port, "Overrides ops.port of the configuration")
        ->check(CLI::Range(0, 65535));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  auto options = LoadOptions(config);
  if (!options) return Fail("configuration is not valid", options.error());
  if (!kubeconfig.empty()) options->kubeconfig = kubeconfig;
  if (ops_port >= 0) options->ops.port = static_cast<std::uint16_t>(ops_port);
  signal(SIGTERM, OnSignal);
  signal(SIGINT, OnSignal);
  const std::string chosen = app.get_subcommands().front()->get_name();
  return Run(*options, chosen != "webhook", chosen != "controller", chosen == "all" ? "operator" : chosen);
}

}  // namespace portcullis::control

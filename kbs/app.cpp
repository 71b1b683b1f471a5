#include "kbs/app.h"

#include <signal.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <thread>

#include "audit/audit.h"
#include "base/heap.h"
#include "base/secret_bytes.h"
#include "evidence/azure/checks.h"
#include "evidence/snp/checks.h"
#include "kbs/collateral.h"
#include "kbs/routes/routes.h"
#include "keystore/keystore.h"
#include "release/broker.h"

namespace portcullis::kbs {
namespace {

constexpr std::chrono::seconds kDrain{25};  // kubelet kills after 30
constexpr int kExitFault = 1, kExitUsage = 2, kExitStore = 3;

std::atomic<bool> stop_requested{false};
void OnSignal(int) { stop_requested = true; }

int ExitCodeFor(const Error& error) {
  switch (error.code) {
    case ReasonCode::kConfigurationInvalid:
    case ReasonCode::kKeyUnavailable:
      return kExitUsage;
    case ReasonCode::kAuditUnavailable:
      return kExitStore;
    default:
      return kExitFault;
  }
}

int Fail(StaticText what, const Error& error) {
  Log(LogLevel::kError, what, {{"error", error.ToString()}});
  return ExitCodeFor(error);
}

/// Every row that evidence of any TEE is held to, and those of the request.
void PrintChecks() {
  for (const auto& rows :
       {snp::CheckRows(), tdx::CheckRows(), azure::CheckRows(), policy::RequestCheckRows()})
    for (const evidence::Finding& row : rows)
      std::cout << row.check_id << '\t' << NameOf(row.reason) << '\t' << row.source << '\n';
}

/// Runs Sweep() about once a second until stopped. False where the store was latched: only a restart, which
/// verifies the log again, may go on.
bool SweepUntilStopped(release::Broker& broker, const store::Store& store, const std::atomic<bool>& stop) {
  while (!stop) {
    for (int tenth = 0; tenth < 10 && !stop; ++tenth)
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    if (const auto swept = broker.Sweep(); !swept)
      Log(LogLevel::kError, "sweep failed", {{"error", swept.error().ToString()}});
    if (store.latched()) return false;
  }
  return true;
}

}  // namespace

int RunBroker(const Options& options, const Trust& trust, const std::atomic<bool>& stop,
              const std::function<void(std::uint16_t, std::uint16_t, std::uint16_t)>& on_ready) {
  SetLogLevel(options.log_level);
  ShareHeaps();
  if (const auto hardened = HardenProcess(); !hardened)
    return Fail("process can't be hardened", hardened.error());
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // a file size limit is an I/O error like any other

  const SystemClock clock;
  crypto::SystemRandom random;
  metrics::Metrics metrics("kbs");
  const auto kek = keystore::Kek::FromFile(options.kek_file);
  if (!kek) return Fail("key-encryption key can't be read", kek.error());
  const auto store = store::OpenSqlite(options.store_path);
  if (!store) return Fail("store can't be opened", store.error());
  auto identity = keystore::LoadOrCreateIdentity(**store, *kek);
  if (!identity) return Fail("identity keys can't be loaded", identity.error());
  const auto audit =
      audit::Log::Open(**store, clock, options.audit_origin,
                       identity->audit_seed.Expose([](Bytes b) { return SecretBytes::CopyOf(b); }));
  if (!audit) return Fail("audit log can't be opened", audit.error());
  const auto collateral =
      Collateral::Open(options.collateral, {trust.anchors, trust.tdx_anchors}, clock, random, metrics);
  if (!collateral) return Fail("collateral can't be kept", collateral.error());
  const bool in_place = options.collateral.directory.empty() && trust.endorsements != nullptr;
  const policy::TrustSources sources{
      .snp_anchors = trust.anchors,
      .endorsements = in_place ? *trust.endorsements : (*collateral)->store(),
      .tdx_anchors = trust.tdx_anchors,
      .collateral = in_place && trust.collateral != nullptr ? *trust.collateral : (*collateral)->store()};
  const auto broker =
      release::Broker::Open({**store, **audit, *kek, *identity, sources, clock, random, metrics});
  if (!broker) return Fail("broker can't be opened", broker.error());

  const auto ops = http::Server::Start(options.ops, OpsRoutes(metrics, **store), metrics);
  if (!ops) return Fail("ops port can't be served", ops.error());
  const auto broker_api =
      http::Server::Start(options.broker, BrokerRoutes(**broker, **audit, options), metrics);
  if (!broker_api) return Fail("broker port can't be served", broker_api.error());
  const auto guest_api = http::Server::Start(options.guest, GuestRoutes(**broker), metrics);
  if (!guest_api) return Fail("guest port can't be served", guest_api.error());
  Log(LogLevel::kInfo, "serving",
      {{"guest", std::to_string((*guest_api)->port())},
       {"broker", std::to_string((*broker_api)->port())},
       {"ops", std::to_string((*ops)->port())}});
  if (!options.collateral.directory.empty()) (*collateral)->Start();
  if (on_ready) on_ready((*guest_api)->port(), (*broker_api)->port(), (*ops)->port());

  const bool healthy = SweepUntilStopped(**broker, **store, stop);
  if (!healthy)
    Log(LogLevel::kError, "store is latched after an I/O error; nothing is released until a restart");
  (*collateral)->Stop();
  (*guest_api)->Stop(kDrain);
  // Not sooner: as long as the broker's port is served, who waits for decisions would ask again at once.
  (*broker)->Interrupt();
  (*broker_api)->Stop(std::chrono::seconds(2));
  (*ops)->Stop(std::chrono::seconds(1));
  if (const auto checkpoint = (*audit)->Checkpoint(); !checkpoint && healthy)
    Log(LogLevel::kError, "last checkpoint failed", {{"error", checkpoint.error().ToString()}});
  return healthy ? 0 : kExitStore;
}

int BrokerMain(int argc, char** argv, const std::function<Result<Trust>()>& trust) {
  CLI::App app{
      "Portcullis Key Broker Service: verifies attestation evidence and seals model keys to attested "
      "guests."};
  app.footer(
      "Examples:\n  portcullis-kbs --config /etc/portcullis/kbs.yaml\n  portcullis-kbs checks\n\n"
      "Exit codes: 0 stopped by a signal, 1 our fault, 2 usage or configuration, 3 the store failed.");
  std::string config;
  app.add_option("--config", config, "YAML configuration (docs/reference/api.md)");
  app.set_version_flag("--version", "portcullis-kbs 0.1.0");
  bool list_checks = false;
  app.add_subcommand("checks", "Print the table of checks and exit")->callback([&] { list_checks = true; });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  if (list_checks) {
    PrintChecks();
    return 0;
  }
  if (config.empty()) {
    std::cerr << "portcullis-kbs: --config FILE is required; see portcullis-kbs --help\n";
    return kExitUsage;
  }
  const auto options = LoadOptions(config);
  if (!options) return Fail("configuration is not valid", options.error());
  const auto roots = trust();
  if (!roots) return Fail("roots of trust can't be loaded", roots.error());
  signal(SIGTERM, OnSignal);
  signal(SIGINT, OnSignal);
  return RunBroker(*options, *roots, stop_requested);
}

}  // namespace portcullis::kbs

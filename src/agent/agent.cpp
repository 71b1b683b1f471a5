#include "agent/agent.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>

#include "agent/azure_tee.h"
#include "agent/deliver.h"
#include "agent/rcar.h"
#include "base/log.h"
#include "crypto/digest.h"

namespace portcullis::agent {
namespace {

constexpr int kExitFault = 1, kExitUsage = 2, kExitDenied = 3, kExitMalformed = 4, kExitUnreachable = 5;
constexpr std::chrono::milliseconds kFirstWait{500}, kLongestWait{10'000};

struct AgentOptions {
  std::string init_data, tsm_path = kTsmReportPath, event_log_path = kEventLogPath,
                         directory = "/run/portcullis", name;
  std::chrono::seconds timeout{300};
  crypto::Curve curve = crypto::Curve::kP256;
  Readers readers;
  std::vector<std::string> command;
};

int ExitCodeFor(ReasonCode code, bool refused) {
  // A broker that can't serve has not decided against us.
  if (refused && ReasonFor(code).category != ReasonCategory::kService) return kExitDenied;
  switch (code) {
    case ReasonCode::kInitDataMismatch:
    case ReasonCode::kSignatureInvalid:
      return kExitDenied;
    case ReasonCode::kNotFound:     // no configfs-tsm: not a confidential guest
    case ReasonCode::kTeeMismatch:  // one that this agent doesn't serve
    case ReasonCode::kConfigurationInvalid:
      return kExitUsage;
    case ReasonCode::kRequestMalformed:
    case ReasonCode::kEvidenceMalformed:
    case ReasonCode::kEvidenceVersionUnsupported:
      return kExitMalformed;
    case ReasonCode::kUnreachable:
    case ReasonCode::kOverloaded:
    case ReasonCode::kAuditUnavailable:
      return kExitUnreachable;
    default:
      return kExitFault;
  }
}

struct Outcome {
  Result<SecretBytes> key;
  std::optional<Refusal> refusal;
};

bool CanHelp(const Error& error, const std::optional<Refusal>& refusal) {
  if (refusal)
    return refusal->retryable || error.code == ReasonCode::kOverloaded ||
           error.code == ReasonCode::kAuditUnavailable;
  return error.code == ReasonCode::kUnreachable || error.code == ReasonCode::kOverloaded;
}

/// The waits between tries: each about twice the one before, with a little chance in it, until the time is
/// up.
class Patience {
 public:
  Patience(const AgentPorts& ports, std::chrono::seconds timeout)
      : ports_(ports), deadline_(ports.clock.Steady() + timeout) {}

  /// Waits. False, at once, where that would be too long.
  bool Wait(const Error& error) {
    if (ports_.clock.Steady() + wait_ > deadline_) return false;
    Log(LogLevel::kInfo, "not yet released, trying again", {{"reason", std::string(NameOf(error.code))}});
    ByteBuffer jitter(1);
    ports_.random.Fill(jitter);
    ports_.sleep(wait_ + wait_ * static_cast<int>(jitter[0]) / 512);
    wait_ = std::min(wait_ * 2, kLongestWait);
    return true;
  }

 private:
  const AgentPorts& ports_;
  const SteadyTime deadline_;
  std::chrono::milliseconds wait_ = kFirstWait;
};

/// Whatever TEE this is, with what it needs to go on: configfs-tsm's, or that under an Azure paravisor.
class Machine {
 public:
  Machine(const AgentPorts& ports, const AgentOptions& options)
      : ports_(ports), options_(options), tsm_(ports.files, ports.random, ports.sleep, options.tsm_path) {}

  Result<> Open() {
    auto tee = OpenTee(tsm_, ports_.files, options_.event_log_path);
    if (!tee && tee.error().code == ReasonCode::kNotFound && ports_.open_vtpm) {
      auto azure = OpenAzure();
      // Neither is there: what is said is that this is no confidential guest.
      if (azure || azure.error().code != ReasonCode::kNotFound) tee = std::move(azure);
    }
    if (!tee) return tee.error();
    tee_ = *std::move(tee);
    return Done{};
  }
  Tee& tee() { return *tee_; }

 private:
  Result<std::unique_ptr<Tee>> OpenAzure() {
    vtpm_ = TRY(ports_.open_vtpm());
    http::ClientOptions options;
    options.base_url = kMetadataUrl;
    options.user_agent = "portcullis-agent/0.1";
    metadata_ = TRY(ports_.connect(options));
    return OpenAzureTee(*vtpm_, *metadata_, ports_.sleep);
  }

  const AgentPorts& ports_;
  const AgentOptions& options_;
  Tsm tsm_;
  std::unique_ptr<Vtpm> vtpm_;
  std::shared_ptr<http::Client> metadata_;
  std::unique_ptr<Tee> tee_;
};

/// Opens the TEE and sees that it measured this init-data. A busy one is asked again: at boot many ask at
/// once.
Result<> OpenMeasured(Machine& machine, const TrustedBroker& broker, Patience& patience) {
  for (;;) {
    const auto opened = machine.Open();
    const auto measured = opened ? machine.tee().RequireMeasured(broker.init_data) : opened;
    if (measured) return Done{};
    if (measured.error().code != ReasonCode::kOverloaded || !patience.Wait(measured.error()))
      return measured.error();
  }
}

/// Tries until the key is there, the refusal is final or the time is up. Each try has a challenge of its own.
Outcome FetchKey(const AgentPorts& ports, Tee& tee, const TrustedBroker& broker, const AgentOptions& options,
                 Patience& patience) {
  http::ClientOptions client_options;
  client_options.base_url = broker.url;
  client_options.ca_pem = broker.ca_pem;
  client_options.user_agent = "portcullis-agent/0.1";
  const auto client = ports.connect(client_options);
  if (!client) return {client.error(), {}};
  // Made in the TEE, never stored: a key sealed to it dies with this process.
  const auto tee_key = crypto::EcPrivateKey::Generate(options.curve);
  RcarClient rcar(**client, tee, broker, tee_key);
  for (;;) {
    std::optional<Refusal> refusal;
    auto key = rcar.Attest(refusal);
    if (key) return {std::move(key), {}};
    if (!CanHelp(key.error(), refusal) || !patience.Wait(key.error()))
      return {std::move(key), std::move(refusal)};
  }
}

int Explain(const Error& error, const std::optional<Refusal>& refusal) {
  const Reason& reason = ReasonFor(error.code);
  std::string line = "portcullis-agent: " + std::string(reason.name) + ": ";
  line += refusal ? std::string(reason.message) : std::string(error.text.view());
  if (!error.where.empty()) line += " (" + error.where + ")";
  if (line.back() != '.') line += ".";
  if (refusal && refusal->reasons.size() > 1) {
    line += " All reasons:";
    for (const std::string& name : refusal->reasons) line += " " + name;
    line += ".";
  }
  // Of ours, only a broker's resources have a namespace and a name to check.
  if (refusal || error.code != ReasonCode::kNotFound) line += " " + std::string(reason.remedy);
  if (refusal && !refusal->request_id.empty()) line += " Request " + Quoted(refusal->request_id) + ".";
  std::cerr << line << "\n";
  return ExitCodeFor(error.code, refusal.has_value());
}

int Run(const AgentPorts& ports, const AgentOptions& options) {
  if (const auto hardened = HardenProcess(); !hardened) return Explain(hardened.error(), {});
  const auto broker = ParseTrustedBroker(options.init_data);
  if (!broker) return Explain(broker.error(), {});
  const SteadyTime started = ports.clock.Steady();
  Patience patience(ports, options.timeout);
  Machine machine(ports, options);
  if (const auto opened = OpenMeasured(machine, *broker, patience); !opened)
    return Explain(opened.error(), {});
  const Outcome outcome = FetchKey(ports, machine.tee(), *broker, options, patience);
  if (!outcome.key) return Explain(outcome.key.error(), outcome.refusal);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(ports.clock.Steady() - started);
  Log(LogLevel::kInfo, "key released",
      {{"release", Quoted(broker->release_id)}, {"milliseconds", std::to_string(took.count())}});

  if (!options.command.empty()) return Explain(DeliverByExec(*outcome.key, options.command), {});
  const std::string name = options.name.empty() ? broker->key : options.name;
  if (const auto delivered = DeliverAsFile(*outcome.key, options.directory, name, options.readers);
      !delivered)
    return Explain(delivered.error(), {});
  return 0;
}

}  // namespace

int AgentMain(int argc, char** argv, const AgentPorts& ports) {
  CLI::App app{
      "Portcullis agent: attests this guest to the broker that its measured init-data names, and hands the "
      "model key to the workload."};
  app.footer(
      "Examples:\n  portcullis-agent fetch --out /run/portcullis\n  portcullis-agent exec -- /usr/bin/serve "
      "--model /models/llama\n\n"
      "Exit codes: 0 released, 1 our fault, 2 usage or configuration, 3 denied, 4 malformed input, 5 "
      "unreachable.");
  app.require_subcommand(1);
  app.set_version_flag("--version", "portcullis-agent 0.1.0");
  AgentOptions options;
  std::int64_t timeout_seconds = options.timeout.count();
  std::string curve = "P-256";
  const auto add_common = [&](CLI::App* command) {
    command->add_option("--init-data", options.init_data, "The init-data annotation's text")
        ->envname("PORTCULLIS_INIT_DATA")
        ->required();
    command->add_option("--tsm", options.tsm_path, "Where configfs-tsm makes reports")->capture_default_str();
    command->add_option("--event-log", options.event_log_path, "The firmware's event log (TDX)")
        ->capture_default_str();
    command->add_option("--timeout", timeout_seconds, "Seconds to go on trying")
        ->check(CLI::Range(1, 7200))
        ->capture_default_str();
    command->add_option("--curve", curve, "Curve of the TEE's key")
        ->check(CLI::IsMember({"P-256", "P-521"}))
        ->capture_default_str();
  };
  CLI::App* fetch =
      app.add_subcommand("fetch", "Write the key to a file on tmpfs, mode 0400 (0440 with --group-readable)");
  add_common(fetch);
  fetch->add_option("--out", options.directory, "Directory on tmpfs")->capture_default_str();
  fetch->add_option("--name", options.name, "File name; default: the key's name");
  fetch->add_option("--owner", options.readers.owner, "User id that gets the file (needs CAP_CHOWN)")
      ->check(CLI::Range(0, 2'147'483'647));
  fetch->add_flag("--group-readable", options.readers.group,
                  "Let the directory's group read it (fsGroup of a pod)");
  CLI::App* exec =
      app.add_subcommand("exec", "Run a command with the key on an inherited descriptor (PORTCULLIS_KEY_FD)");
  add_common(exec);
  exec->add_option("command", options.command, "Command and its arguments")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  options.timeout = std::chrono::seconds(timeout_seconds);
  options.curve = curve == "P-521" ? crypto::Curve::kP521 : crypto::Curve::kP256;
  return Run(ports, options);
}

}  // namespace portcullis::agent

// The agent on a pretended machine: evidence is minted for the launch state in a file.
//   PORTCULLIS_LAB_PKI=DIR      the lab's keys
//   PORTCULLIS_LAB_LAUNCH=FILE  what was launched (launch_state.h, tdx_state.h, programs/lab_azure.h)
//   PORTCULLIS_LAB_RECORD=FILE  keeps the attestation request that was sent
//   PORTCULLIS_LAB_REPLAY=FILE  sends a kept request in place of the own one: an attacker's replay
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include "agent/agent.h"
#include "agent/azure_tee.h"
#include "codec/json.h"
#include "crypto/digest.h"
#include "tests/lab/programs/lab_azure.h"
#include "tests/lab/programs/lab_tsm.h"

namespace portcullis::lab {
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Result<std::string> ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{ReasonCode::kConfigurationInvalid, "the file can't be read", path};
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Records or replaces the body of POST /kbs/v0/attest; all else passes.
class TamperingClient final : public http::Client {
 public:
  explicit TamperingClient(std::shared_ptr<http::Client> inner) : inner_(std::move(inner)) {}

  Result<http::Response> Send(const std::string& method, const std::string& target,
                              const http::Headers& headers, const std::string& body) override {
    if (target != "/kbs/v0/attest") return inner_->Send(method, target, headers, body);
    if (const std::string path = Environment("PORTCULLIS_LAB_RECORD"); !path.empty())
      std::ofstream(path, std::ios::binary) << body;
    const std::string replay = Environment("PORTCULLIS_LAB_REPLAY");
    return inner_->Send(method, target, headers,
                        replay.empty() ? body : Replayed(body, TRY(ReadText(replay))));
  }
  Result<http::Response> Stream(const std::string& target,
                                const std::function<bool(std::string_view)>& on_line,
                                const std::atomic<bool>& stop) override {
    return inner_->Stream(target, on_line, stop);
  }

 private:
  /// The kept evidence under the own challenge's nonce: the strongest replay, since the session fits.
  static std::string Replayed(const std::string& own, const std::string& kept) {
    auto own_body = codec::ParseJson(own);
    const auto kept_body = codec::ParseJson(kept);
    if (!own_body || !kept_body) return kept;
    if (const codec::Json* evidence = kept_body->Find("tee-evidence"))
      own_body->Set("tee-evidence", *evidence);
    if (const codec::Json* init_data = kept_body->Find("init-data")) own_body->Set("init-data", *init_data);
    return codec::ToText(*own_body);
  }
  std::shared_ptr<http::Client> inner_;
};

/// The machine of the state file: an SNP guest, or what "tee" says.
struct Machine {
  std::unique_ptr<agent::Files> files;
  std::unique_ptr<LabAzure> azure;
};

/// An Azure VM has neither configfs-tsm nor an event log.
class NoFiles final : public agent::Files {
 public:
  Result<> MakeDirectory(const std::string& path) override { return Absent(path); }
  Result<> RemoveDirectory(const std::string& path) override { return Absent(path); }
  Result<> Write(const std::string& path, Bytes) override { return Absent(path); }
  Result<ByteBuffer> Read(const std::string& path, std::size_t) override { return Absent(path); }

 private:
  static Error Absent(const std::string& path) { return {ReasonCode::kNotFound, "no such file", path}; }
};

Result<Machine> OpenMachine() {
  const std::filesystem::path folder = Environment("PORTCULLIS_LAB_PKI");
  const codec::Json state = TRY(codec::ParseJson(TRY(ReadText(Environment("PORTCULLIS_LAB_LAUNCH")))));
  Machine out;
  const std::string_view tee = state.TextAt({"tee"});
  if (tee.starts_with("az-")) {
    out.azure = TRY(LabAzureFromJson(state, folder));
    out.files = std::make_unique<NoFiles>();
  } else if (tee == "tdx") {
    out.files =
        std::make_unique<LabTsm>(TRY(TdxLabPki::Load(folder / kTdxFolder)), TRY(TdStateFromJson(state)));
  } else {
    out.files = std::make_unique<LabTsm>(TRY(LabPki::Load(folder)), TRY(LaunchStateFromJson(state)));
  }
  return out;
}

/// Hands the agent what it takes for the VM's own.
class VtpmOf final : public agent::Vtpm {
 public:
  explicit VtpmOf(agent::Vtpm& inner) : inner_(inner) {}
  Result<ByteBuffer> ReadHclReport() override { return inner_.ReadHclReport(); }
  Result<> WriteReportData(const agent::ReportData& data) override { return inner_.WriteReportData(data); }
  Result<tpm::PcrValues> ReadPcrs() override { return inner_.ReadPcrs(); }
  Result<agent::PcrQuote> Quote(Bytes extra_data) override { return inner_.Quote(extra_data); }

 private:
  agent::Vtpm& inner_;
};

agent::AgentPorts PortsOf(Machine& machine, const Clock& clock, Random& random) {
  agent::AgentPorts ports{
      *machine.files, clock, random,
      [&machine](const http::ClientOptions& options) -> Result<std::shared_ptr<http::Client>> {
        if (machine.azure != nullptr && options.base_url == agent::kMetadataUrl)
          return machine.azure->Metadata();
        return std::shared_ptr<http::Client>(
            std::make_shared<TamperingClient>(TRY(http::Client::Create(options))));
      },
      [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); }};
  if (machine.azure != nullptr)
    ports.open_vtpm = [&machine]() -> Result<std::unique_ptr<agent::Vtpm>> {
      return std::unique_ptr<agent::Vtpm>(std::make_unique<VtpmOf>(*machine.azure));
    };
  return ports;
}

int Main(int argc, char** argv) {
  auto machine = OpenMachine();
  if (!machine) {
    std::cerr << "portcullis-agent-lab: " << machine.error().ToString() << "\n";
    return 2;
  }
  const SystemClock clock;
  crypto::SystemRandom random;
  return agent::AgentMain(argc, argv, PortsOf(*machine, clock, random));
}

}  // namespace
}  // namespace portcullis::lab

int main(int argc, char** argv) { return portcullis::lab::Main(argc, argv); }

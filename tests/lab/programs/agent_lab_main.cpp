// The agent on a pretended machine: evidence is minted for the launch state in a file.
//   PORTCULLIS_LAB_PKI=DIR      the lab's keys
//   PORTCULLIS_LAB_LAUNCH=FILE  what was launched (tests/lab/launch_state.h, tests/lab/tdx_state.h)
//   PORTCULLIS_LAB_RECORD=FILE  keeps the attestation request that was sent
//   PORTCULLIS_LAB_REPLAY=FILE  sends a kept request in place of the own one: an attacker's replay
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include "agent/agent.h"
#include "codec/json.h"
#include "crypto/digest.h"
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

/// The machine of the state file: an SNP guest, or a TD where "tee" says so.
Result<std::unique_ptr<LabTsm>> OpenMachine() {
  const std::filesystem::path folder = Environment("PORTCULLIS_LAB_PKI");
  const codec::Json state = TRY(codec::ParseJson(TRY(ReadText(Environment("PORTCULLIS_LAB_LAUNCH")))));
  if (state.TextAt({"tee"}) == "tdx")
    return std::make_unique<LabTsm>(TRY(TdxLabPki::Load(folder / kTdxFolder)), TRY(TdStateFromJson(state)));
  return std::make_unique<LabTsm>(TRY(LabPki::Load(folder)), TRY(LaunchStateFromJson(state)));
}

int Main(int argc, char** argv) {
  const auto machine = OpenMachine();
  if (!machine) {
    std::cerr << "portcullis-agent-lab: " << machine.error().ToString() << "\n";
    return 2;
  }
  const SystemClock clock;
  crypto::SystemRandom random;
  const auto connect = [](const http::ClientOptions& options) -> Result<std::shared_ptr<http::Client>> {
    return std::shared_ptr<http::Client>(
        std::make_shared<TamperingClient>(TRY(http::Client::Create(options))));
  };
  return agent::AgentMain(argc, argv, {**machine, clock, random, connect, [](std::chrono::milliseconds time) {
                                         std::this_thread::sleep_for(time);
                                       }});
}

}  // namespace
}  // namespace portcullis::lab

int main(int argc, char** argv) { return portcullis::lab::Main(argc, argv); }

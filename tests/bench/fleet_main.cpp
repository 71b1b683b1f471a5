// portcullis-bench-fleet: what the operator and the broker hold in memory after many releases on a real API
// server: each pod admitted by the webhook, registered by the controller, attested over TLS, its Secret,
// Event and status written. Guests are played here, without a kubelet.
#include <CLI/CLI.hpp>
#include <deque>
#include <iostream>
#include <thread>

#include "codec/init_data.h"
#include "codec/text.h"
#include "kube/objects.h"
#include "release/attestation_request.h"
#include "tests/bench/guest_connection.h"
#include "tests/bench/measure.h"
#include "tests/e2e/main_job.h"

namespace portcullis::bench {
namespace {

using codec::Json;

constexpr std::size_t kAhead = 200;  // pods that wait for the controller at a time

const auto kStarted = std::chrono::steady_clock::now();
void Say(const std::string& line) {
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - kStarted);
  std::cerr << "bench: [" << elapsed.count() << " s] " << line << '\n';
}

/// A pod's guest, as far as admission has shaped it.
struct Guest {
  std::string pod, release_id;
  codec::InitData init_data;
};

Result<Guest> GuestOf(const std::string& name, const Json& pod) {
  Guest guest{
      .pod = name, .release_id = std::string(kube::LabelOf(pod, kube::kReleaseIdLabel)), .init_data = {}};
  guest.init_data = TRY(codec::DecodeInitDataAnnotation(kube::AnnotationOf(pod, kube::kInitDataAnnotation)));
  return guest;
}

/// Where the guests' broker is, as their init-data says.
Result<GuestConnection> ConnectionOf(const Guest& guest) {
  const Json claim = TRY(codec::ParseJson(guest.init_data.data.at("portcullis.json")));
  const std::string url(claim.TextAt({"kbs", "url"}));
  const auto port = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
  return GuestConnection(port, std::string(claim.TextAt({"kbs", "ca"})));
}

class Fleet {
 public:
  Fleet(e2e::Installation& installation, e2e::MainJob& job) : installation_(installation), job_(job) {}

  Result<> Run(std::size_t count) {
    for (std::size_t made = 0; attested_ < count;) {
      while (made < count && waiting_.size() < kAhead) {
        const std::string name = "guest-" + std::to_string(made++);
        waiting_.push_back(TRY(GuestOf(name, TRY(job_.CreatePod(name)))));
      }
      TRY(AttestFirst());
      if (attested_ % 1000 == 0)
        Say(std::to_string(attested_) + " of " + std::to_string(count) + " attested");
    }
    return AwaitReleased(count);
  }

 private:
  Result<> AttestFirst() {
    const Guest guest = std::move(waiting_.front());
    waiting_.pop_front();
    if (!connection_) connection_.emplace(TRY(ConnectionOf(guest)));
    const bool registered = e2e::Eventually(std::chrono::seconds(60), [&] {
      const auto release = installation_.cluster().api().Get(kube::kKeyReleases,
                                                             {e2e::kTeam, "portcullis-" + guest.release_id});
      return release && release->Find("status") != nullptr &&
             kube::IsConditionTrue(*release->Find("status"), "Registered");
    });
    if (!registered) return Error{ReasonCode::kInternalError, "a release was not registered", guest.pod};
    const auto challenge = connection_->Post(
        "/kbs/v0/auth", "",
        codec::ToText(
            Json::Object({{"version", "0.4.0"},
                          {"tee", "snp"},
                          {"extra-params", Json::Object({{"portcullis-release", guest.release_id}})}})));
    const Json nonce = TRY(codec::ParseJson(challenge.body));
    const auto answer = connection_->Post("/kbs/v0/attest", CookieOf(challenge),
                                          Attestation(guest, std::string(nonce.TextAt({"nonce"}))));
    if (answer.status != 200)
      return Error{ReasonCode::kInternalError, "an attestation was refused",
                   guest.pod + ": " + std::to_string(answer.status) + " " + answer.body.substr(0, 500)};
    ++attested_;
    return Done{};
  }

  std::string Attestation(const Guest& guest, const std::string& nonce) const {
    lab::LaunchState state = lab::LaunchState::Milan();
    state.host_data = snp::HostData(crypto::Sha256(AsBytes(guest.init_data.text)).array());
    const auto minted = installation_.pki().Mint(state, release::ExpectedReportData(nonce, jwk_, ""));
    return codec::ToText(Json::Object(
        {{"init-data", Json::Object({{"format", "toml"}, {"body", guest.init_data.text}})},
         {"runtime-data", Json::Object({{"nonce", nonce}, {"tee-pubkey", jwk_}})},
         {"tee-evidence",
          Json::Object(
              {{"primary_evidence", Json::Object({{"attestation_report", codec::EncodeBase64(minted.report)},
                                                  {"auxblob", codec::EncodeBase64(minted.aux_blob)}})},
               {"additional_evidence", ""}})}}));
  }

  Result<> AwaitReleased(std::size_t count) {
    std::size_t released = 0;
    SteadyTime said{};
    const bool all = e2e::Eventually(std::chrono::minutes(10), [&] {
      released = 0;
      std::string next;
      do {
        kube::Api& api = installation_.cluster().api();
        auto page = api.List(kube::kKeyReleases, e2e::kTeam, {{"limit", "500"}, {"continue", next}});
        if (!page) return false;
        for (const Json& item : page->items)
          released += item.TextAt({"status", "phase"}) == "Released" ? 1 : 0;
        next = page->continue_token;
      } while (!next.empty());
      if (released == count || said + std::chrono::seconds(5) < std::chrono::steady_clock::now()) {
        Say(std::to_string(released) + " of " + std::to_string(count) + " released");
        said = std::chrono::steady_clock::now();
      }
      return released == count;
    });
    if (!all) return Error{ReasonCode::kInternalError, "not all were released", std::to_string(released)};
    return Done{};
  }

  e2e::Installation& installation_;
  e2e::MainJob& job_;
  std::optional<GuestConnection> connection_;
  std::deque<Guest> waiting_;
  std::size_t attested_ = 0;
  const Json jwk_ = [] {
    Json jwk = crypto::EcPrivateKey::Generate(crypto::Curve::kP256).public_key().ToJwk();
    return jwk.Set("alg", "ECDH-ES+A256KW");
  }();
};

Line Memory(std::string name, double mebibytes, std::optional<double> target = {}) {
  return {.name = std::move(name), .unit = "MiB", .p50 = mebibytes, .p99 = mebibytes, .target = target};
}

Result<std::vector<Line>> Measure(const std::filesystem::path& folder, std::size_t count) {
  Say("starting a control plane, the chart and its processes");
  const auto cluster = TRY(e2e::Cluster::Start(folder / "cluster"));
  const auto installation = TRY(e2e::Installation::Prepare(*cluster, folder / "portcullis"));
  TRY(installation->InstallChart());
  e2e::MainJob job(*installation, folder / "volumes", Say);
  TRY(job.PrepareCluster());
  TRY(installation->StartAll());
  TRY(job.PublishKeyAndPolicy());
  const auto resident = [&](const std::string& when) {
    return std::vector<Line>{
        Memory("controller's resident memory " + when, ResidentMebibytes(installation->controller().pid())),
        Memory("  webhook's", ResidentMebibytes(installation->webhook().pid())),
        Memory("  broker's", ResidentMebibytes(installation->broker().pid()))};
  };
  std::vector<Line> lines = resident("before the first pod");
  Fleet fleet(*installation, job);
  TRY(fleet.Run(count));
  for (Line& line : resident("after " + std::to_string(count) + " releases"))
    lines.push_back(std::move(line));
  lines[3].target = 100;
  return lines;
}

int Main(int argc, char** argv) {
  CLI::App app{"Measures operator and broker after many releases on a real API server on loopback."};
  std::size_t count = 10'000;
  std::string output = "table", folder;
  app.add_option("--releases", count, "Pods, each with its release")->capture_default_str();
  app.add_option("--folder", folder, "An empty folder for the control plane's data")->required();
  app.add_option("-o,--output", output, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const auto lines = Measure(folder, count);
  if (!lines) {
    std::cerr << "portcullis-bench-fleet: " << lines.error().ToString() << '\n';
    return 1;
  }
  std::cout << (output == "json" ? codec::ToPrettyText(ToJson(*lines)) + "\n" : ToTable(*lines));
  return 0;
}

}  // namespace
}  // namespace portcullis::bench

int main(int argc, char** argv) { return portcullis::bench::Main(argc, argv); }

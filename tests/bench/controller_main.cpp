// portcullis-bench-controller: what the controller holds in memory after many releases. It runs in this
// process against an API server and a broker in memory; what it holds is what the heap shrinks by when it
// goes.
#include <malloc.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <mutex>

#include "codec/init_data.h"
#include "codec/text.h"
#include "kube/objects.h"
#include "operator/controller.h"
#include "tests/bench/measure.h"
#include "tests/support/fake_kube.h"

namespace portcullis::bench {
namespace {

using codec::Json;

std::string IdOf(std::size_t number) {
  const std::string digits = std::to_string(number);
  return std::string(32 - digits.size(), '0') + digits;
}

/// A broker that releases whatever is registered. Thread-safe.
class WillingBroker final : public control::Broker {
 public:
  Result<Json> PutKey(const std::string&, const std::string&, const Json&) override { return Json(); }
  Result<> DeleteKey(const std::string&, const std::string&) override { return Done{}; }
  Result<Json> ListKeys(const std::string&) override { return NoneOf("keys"); }
  Result<Json> PutPolicy(const std::string&, const std::string&, const Json&) override { return Json(); }
  Result<> DeletePolicy(const std::string&, const std::string&) override { return Done{}; }
  Result<Json> ListPolicies(const std::string&) override { return NoneOf("policies"); }
  Result<Json> PutRelease(const std::string& id, const Json& registration) override {
    const std::lock_guard lock(mutex_);
    return registered_[id] = ReleaseOf(id, registration);
  }
  Result<Json> GetRelease(const std::string& id) override {
    const std::lock_guard lock(mutex_);
    const auto found = registered_.find(id);
    if (found == registered_.end()) return Error{ReasonCode::kNotFound, "not registered"};
    return found->second;
  }
  Result<Json> RevokeRelease(const std::string& id, std::string_view, const control::ReleaseOwner&) override {
    return GetRelease(id);
  }
  Result<Json> ListReleases(const std::string&) override { return NoneOf("releases"); }
  Result<Json> Decisions(std::int64_t after, std::chrono::seconds) override {
    usleep(100'000);
    return Json::Object({{"decisions", codec::JsonArray()}, {"next", after}});
  }
  Result<Json> Identity() override { return Json(); }

 private:
  static Json NoneOf(const std::string& member) {
    return Json::Object({{member, codec::JsonArray()}, {"next", ""}});
  }
  static Json ReleaseOf(const std::string& id, const Json& registration) {
    const auto text = [](std::size_t size) { return std::string(size, 'x'); };
    return Json::Object({{"id", id},
                         {"cluster", registration.TextAt({"cluster"})},
                         {"namespace", registration.TextAt({"namespace"})},
                         {"podUid", registration.TextAt({"podUid"})},
                         {"initDataDigest", registration.TextAt({"initDataDigest"})},
                         {"phase", "Released"},
                         {"verdict", "allow"},
                         {"reasons", codec::JsonArray()},
                         {"checks", codec::JsonArray()},
                         {"claims", Json::Object({{"measurement", text(96)}, {"chipId", text(128)}})},
                         {"notProven", Json::Array({text(120), text(120)})},
                         {"evidenceDigest", "sha256:" + std::string(64, '0')},
                         {"policyDigest", "sha256:" + std::string(64, '0')},
                         {"tee", "snp"},
                         {"delivery", "Secret"},
                         {"auditSequence", 1},
                         {"decidedAt", "2026-11-24T21:53:00Z"},
                         {"leaseExpires", "2036-11-24T21:53:00Z"},
                         {"releases", 1},
                         {"jwe", Json::Object({{"protected", text(400)},
                                               {"encrypted_key", text(54)},
                                               {"iv", text(16)},
                                               {"ciphertext", text(43)},
                                               {"tag", text(22)}})}});
  }
  std::mutex mutex_;
  std::map<std::string, Json> registered_;
};

/// A pod as the webhook left it, of the size that such objects have in a cluster.
Json PodOf(std::size_t number) {
  const std::string id = IdOf(number);
  const auto init_data = codec::MakeInitData(
      {{"portcullis.json",
        codec::ToText(Json::Object({{"version", 1}, {"releaseId", id}, {"key", "llama-70b"}}))}});
  Json pod = kube::NewObject(kube::kPods, {"team-a", "llama-" + std::to_string(number)});
  pod.Member("metadata")
      .Set("creationTimestamp", "2026-11-24T21:52:59Z")
      .Set("labels", Json::Object({{std::string(kube::kReleaseIdLabel), id},
                                   {std::string(kube::kPolicyLabel), "llama"}}))
      .Set("annotations", Json::Object({{std::string(kube::kInitDataAnnotation),
                                         codec::EncodeInitDataAnnotation(init_data)}}));
  pod.Set(
      "spec",
      Json::Object({{"serviceAccountName", "inference"},
                    {"containers",
                     Json::Array({Json::Object({{"name", "main"}, {"command", std::string(2048, 'c')}})})}}));
  return pod;
}

struct Heap {
  double in_use = static_cast<double>(mallinfo2().uordblks) / (1024.0 * 1024.0);
};

int Main(int argc, char** argv) {
  CLI::App app{"Measures what the controller holds after many releases, against an API server in memory."};
  std::size_t count = 10'000;
  std::string output = "table";
  app.add_option("--releases", count, "Pods, each with its release")->capture_default_str();
  app.add_option("-o,--output", output, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  const double resident_at_start = ResidentMebibytes(getpid());
  test::FakeKube api;
  WillingBroker broker;
  const SystemClock clock;
  metrics::Metrics metrics("controller");
  control::Options options;
  options.cluster = "bench";
  SetLogLevel(LogLevel::kWarning);
  for (std::size_t i = 0; i < count; ++i) api.Put(kube::kPods, PodOf(i));
  const auto released = [&] {
    std::size_t done = 0;
    for (const Json& release : api.All(kube::kKeyReleases))
      done += release.TextAt({"status", "phase"}) == "Released" ? 1 : 0;
    return done;
  };

  auto controller = std::make_unique<control::Controller>(options, api, broker, clock, metrics);
  controller->Start();
  std::size_t done = 0;
  for (int waited = 0; done < count && waited < 900; ++waited) {
    sleep(1);
    done = released();
    api.ForgetCalls();
    if (waited % 10 == 0)
      std::cerr << "bench: [" << waited << " s] " << done << " of " << count << " released\n";
  }
  sleep(2);  // the last Events and watch events
  api.ForgetCalls();
  const double resident = ResidentMebibytes(getpid());
  const Heap with_controller;
  controller.reset();
  const Heap without;
  if (done < count) {
    std::cerr << "portcullis-bench-controller: only " << done << " of " << count << " were released\n";
    return 1;
  }
  const auto line = [](std::string name, double value) {
    return Line{.name = std::move(name), .unit = "MiB", .p50 = value, .p99 = value};
  };
  const std::vector<Line> lines = {line("controller's heap after " + std::to_string(count) + " releases",
                                        with_controller.in_use - without.in_use),
                                   line("  this process before anything, resident", resident_at_start),
                                   line("  with API server, broker and controller, resident", resident)};
  std::cout << (output == "json" ? codec::ToPrettyText(ToJson(lines)) + "\n" : ToTable(lines));
  return 0;
}

}  // namespace
}  // namespace portcullis::bench

int main(int argc, char** argv) { return portcullis::bench::Main(argc, argv); }

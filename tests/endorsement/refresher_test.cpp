#include "endorsement/refresher.h"

#include "base/log.h"
#include "http/server.h"
#include "tests/endorsement/vendors.h"
#include "tests/support/seeded_random.h"

namespace portcullis::test {
namespace {

using endorsement::KdsClient;
using endorsement::PcsClient;
using endorsement::Refresher;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr const char* kKds = "https://kds.example";
constexpr const char* kPcs = "https://pcs.example";
constexpr const char* kRootCrl = "https://root.example/root.der";

class CollateralRefresher : public Vendors {
 protected:
  /// Everything that the lab's vendors publish, issued at a time.
  void Publish(WallTime issued) {
    for (const auto product : {snp::Product::kMilan, snp::Product::kGenoa, snp::Product::kTurin})
      network.answers[std::string(kKds) + "/vcek/v1/" + std::string(snp::NameOf(product)) + "/crl"] =
          Ok(AmdCrl(issued, {}, product).body);
    for (const auto set : {tdx::EvaluationSet::kStandard, tdx::EvaluationSet::kEarly}) {
      auto options = IssuedAt(issued);
      options.set = set;
      const auto intel = Intel(options);
      const std::string update = "update=" + std::string(NameOf(set));
      Serve("/tdx/certification/v4/tcb?fmspc=90c06f000000&" + update, intel.tcb_info,
            "TCB-Info-Issuer-Chain");
      Serve("/tdx/certification/v4/qe/identity?" + update, intel.qe_identity,
            "SGX-Enclave-Identity-Issuer-Chain");
      Serve("/sgx/certification/v4/pckcrl?ca=platform&encoding=der", intel.pck_crl,
            "SGX-PCK-CRL-Issuer-Chain");
      network.answers[kRootCrl] = Ok(intel.root_crl.body);
    }
  }
  void Serve(const std::string& path, const Document& document, const std::string& header) {
    http::Response answer = Ok(document.body);
    answer.headers.Set(header, PercentEncoded(document.chain));
    network.answers[kPcs + path] = std::move(answer);
  }
  bool Complete() const { return store->Find(td.fmspc, td.ca, tdx::EvaluationSet::kStandard) != nullptr; }
  void StepFor(std::chrono::milliseconds time, std::chrono::milliseconds each = minutes(5)) {
    for (std::chrono::milliseconds gone{0}; gone < time; gone += each) {
      clock.Advance(each);
      refresher.Step();
    }
  }
  bool Shows(const std::string& line) const { return metrics.Exposition().find(line) != std::string::npos; }

  FakeFetcher network;
  SeededRandom random;
  metrics::Metrics metrics{"kbs"};
  KdsClient kds{kKds, network, clock};
  PcsClient pcs{kPcs, kRootCrl, network, clock};
  Refresher refresher{*store, {&kds, &pcs}, clock, random, metrics};
};

TEST_F(CollateralRefresher, FetchesAheadWhatEveryAppraisalNeeds) {
  Publish(Yesterday());
  refresher.Step();
  for (const auto product : {snp::Product::kMilan, snp::Product::kGenoa, snp::Product::kTurin})
    EXPECT_NE(store->FindCrl(product), nullptr);
  std::vector<std::string> kept;
  for (const auto& listed : store->List()) kept.push_back(endorsement::PathOf(listed->document.id));
  EXPECT_EQ(kept, (std::vector<std::string>{"amd/Genoa/crl.der", "amd/Milan/crl.der", "amd/Turin/crl.der",
                                            "intel/early/qeidentity.json", "intel/pckcrl-platform.der",
                                            "intel/rootcrl.der", "intel/standard/qeidentity.json"}));
}

TEST_F(CollateralRefresher, FetchesWhatALookupMissed) {
  Publish(Yesterday());
  network.answers[kKds + endorsement::KdsPathOf(IdOf(milan))] = Ok(Vcek(milan).body);
  refresher.Step();
  EXPECT_FALSE(Complete());
  EXPECT_FALSE(store->FindVcek(milan.product(), milan.chip_id, milan.reported_tcb));
  refresher.Step();
  EXPECT_TRUE(Complete());
  EXPECT_TRUE(store->FindVcek(milan.product(), milan.chip_id, milan.reported_tcb));
  EXPECT_TRUE(Shows("portcullis_collateral_fetches_total{kind=\"vcek\",outcome=\"installed\"} 1"))
      << metrics.Exposition();
}

TEST_F(CollateralRefresher, AsksOnceMoreForWhatWasNotFoundAndThenNoMore) {
  Publish(Yesterday());
  const std::string url = kKds + endorsement::KdsPathOf(IdOf(milan));
  EXPECT_FALSE(store->FindVcek(milan.product(), milan.chip_id, milan.reported_tcb));
  StepFor(hours(6));
  EXPECT_EQ(network.CountOf(url), 2u);
}

TEST_F(CollateralRefresher, GivesAnUpdatedChipItsTurn) {
  Publish(Yesterday());
  lab::LaunchState updated = milan;
  snp::Tcb tcb = milan.reported_tcb;
  ++tcb.microcode;
  updated.SetTcb(tcb);
  for (const auto& state : {milan, updated}) {
    network.answers[kKds + endorsement::KdsPathOf(IdOf(state))] = Ok(Vcek(state).body);
    EXPECT_FALSE(store->FindVcek(state.product(), state.chip_id, state.reported_tcb));
  }
  refresher.Step();
  EXPECT_EQ(store->Vceks().size(), 1u);
  clock.Advance(seconds(10));
  refresher.Step();
  EXPECT_EQ(store->Vceks().size(), 2u);
}

TEST_F(CollateralRefresher, RenewsAtAboutHalfOfTheWindow) {
  Publish(clock.Now());
  refresher.Step();
  const std::string url = std::string(kPcs) + "/tdx/certification/v4/qe/identity?update=standard";
  StepFor(hours(24 * 11), hours(1));
  EXPECT_EQ(network.CountOf(url), 1u) << "11 of 30 days";
  Publish(clock.Now());
  StepFor(hours(24 * 8), hours(1));
  EXPECT_EQ(network.CountOf(url), 2u) << "19 of 30 days";
  const auto kept = store->Get(endorsement::QeIdentityId{tdx::EvaluationSet::kStandard});
  EXPECT_GT(kept->facts.expires, clock.Now() + hours(24 * 20));
}

TEST_F(CollateralRefresher, KeepsServingThroughAnOutageAndRaisesTheAlarmInTime) {
  Publish(clock.Now());
  refresher.Step();
  EXPECT_FALSE(Complete());
  refresher.Step();
  ASSERT_TRUE(Complete());
  network.failure = Error{ReasonCode::kUnreachable, "the cable is cut"};
  SetLogLevel(LogLevel::kError);
  testing::internal::CaptureStderr();
  StepFor(hours(24 * 22), hours(6));
  EXPECT_EQ(testing::internal::GetCapturedStderr().find("ends soon"), std::string::npos);
  testing::internal::CaptureStderr();
  StepFor(hours(24 * 2), hours(6));
  const std::string log = testing::internal::GetCapturedStderr();
  SetLogLevel(LogLevel::kInfo);
  EXPECT_NE(log.find("ends soon"), std::string::npos);
  EXPECT_NE(log.find("intel/standard/tcbinfo-90c06f000000.json"), std::string::npos);
  EXPECT_TRUE(Complete());
  network.failure.reset();
  Publish(clock.Now());
  StepFor(hours(1));
  EXPECT_GT(store->Get(endorsement::TcbInfoId{td.fmspc, tdx::EvaluationSet::kStandard})->facts.expires,
            clock.Now() + hours(24 * 20));
}

TEST_F(CollateralRefresher, NeverInstallsWhatDoesNotPassTheGate) {
  Publish(Yesterday());
  http::Response& forged = network.answers[std::string(kKds) + "/vcek/v1/Milan/crl"];
  forged.body.back() = static_cast<char>(forged.body.back() ^ 1);
  refresher.Step();
  EXPECT_EQ(store->FindCrl(snp::Product::kMilan), nullptr);
  EXPECT_TRUE(Shows("portcullis_collateral_fetches_total{kind=\"amd-crl\",outcome=\"refused\"} 1"));
}

TEST_F(CollateralRefresher, ShowsTheFirstEndAndTheEvaluationNumbers) {
  Publish(Yesterday());
  refresher.Step();
  EXPECT_TRUE(Shows("portcullis_collateral_evaluation_number{set=\"standard\"} 18")) << metrics.Exposition();
  EXPECT_TRUE(Shows("portcullis_collateral_evaluation_number{set=\"early\"} 20"));
  EXPECT_TRUE(Shows("portcullis_collateral_expiry_timestamp_seconds{kind=\"pck-crl\"}"));
}

TEST_F(CollateralRefresher, WithoutAWayOutOnlyReadsTheDirectory) {
  Refresher closed(*store, {nullptr, nullptr}, clock, random, metrics);
  auto other = OpenStore();
  for (const Document& document : Intel(IssuedAt(Yesterday())).all()) ASSERT_TRUE(other->Install(document));
  EXPECT_FALSE(Complete());
  closed.Step();
  EXPECT_TRUE(Complete());
  EXPECT_TRUE(network.asked().empty());
}

TEST_F(CollateralRefresher, RunsAndStopsOnItsOwnThread) {
  Publish(Yesterday());
  refresher.Start();
  while (store->FindCrl(snp::Product::kTurin) == nullptr) std::this_thread::yield();
  refresher.Stop();
}

/// The real client over a real socket.
TEST_F(CollateralRefresher, FetchesOverHttp) {
  const ByteBuffer list = AmdCrl(Yesterday()).body;
  http::Router router;
  router.Add("GET", "/vcek/v1/{product}/crl", [&](const http::Request&) { return Ok(list); });
  http::ServerOptions options;
  options.name = "guest";
  options.address = "127.0.0.1";
  options.port = 0;
  const auto server = http::Server::Start(options, std::move(router), metrics);
  ASSERT_TRUE(server) << server.error().ToString();
  endorsement::HttpsFetcher fetcher("", http::Client::Create);
  KdsClient over_http("http://127.0.0.1:" + std::to_string((*server)->port()), fetcher, clock);
  const auto fetched = over_http.FetchCrl({snp::Product::kMilan});
  ASSERT_TRUE(fetched) << fetched.error().ToString();
  ExpectInstalled(*fetched);
  (*server)->Stop(seconds(1));
}

TEST(HttpsFetcher, TakesNoUrlWithoutTls) {
  endorsement::HttpsFetcher fetcher("", http::Client::Create);
  for (const char* url : {"http://kds.example/x", "ftp://kds.example/x", "file:///etc/passwd",
                          "https://kds.example", "kds.example/x"}) {
    const auto answer = fetcher.Get(url);
    ASSERT_FALSE(answer) << url;
    EXPECT_EQ(answer.error().code, ReasonCode::kConfigurationInvalid) << url;
  }
}

}  // namespace
}  // namespace portcullis::test

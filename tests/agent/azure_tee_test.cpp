#include "agent/azure_tee.h"

#include <gtest/gtest.h>

#include "agent/rcar.h"
#include "evidence/azure/checks.h"
#include "evidence/azure/hcl_report.h"
#include "tests/agent/guest.h"
#include "tests/lab/programs/lab_azure.h"
#include "tests/lab/snp_lists.h"
#include "tests/lab/tdx_lab_collateral.h"

namespace portcullis::agent {
namespace {

using std::chrono::milliseconds;

constexpr WallTime kNow = std::chrono::sys_days(std::chrono::year(2026) / 3 / 1);

/// A metadata service that gives one answer.
class OneAnswer final : public http::Client {
 public:
  explicit OneAnswer(http::Response answer) : answer_(std::move(answer)) {}
  Result<http::Response> Send(const std::string&, const std::string&, const http::Headers&,
                              const std::string&) override {
    return answer_;
  }
  Result<http::Response> Stream(const std::string&, const std::function<bool(std::string_view)>&,
                                const std::atomic<bool>&) override {
    return Error{ReasonCode::kInternalError, "no streams"};
  }

 private:
  http::Response answer_;
};

class AzureTeeTest : public ::testing::Test {
 protected:
  lab::AzureState state;
  std::vector<milliseconds> pauses;
  const ReportData asked = ReportDataFor("nonce", codec::Json::Object({{"kty", "EC"}}));

  /// The quote is over the digest alone, the hardware's report over its padded form.
  void ExpectBound(const azure::VtpmQuote& quote, Bytes hcl_report, azure::ReportType type) const {
    const auto parsed = tpm::ParseQuote(quote.message);
    ASSERT_TRUE(parsed) << parsed.error().ToString();
    EXPECT_TRUE(SameBytes(parsed->extra_data, asked.bytes().first(48)));
    const auto report = azure::ParseHclReport(hcl_report, type);
    ASSERT_TRUE(report) << report.error().ToString();
    EXPECT_TRUE(SameBytes(report->user_data->bytes(), asked.bytes()));
  }

  lab::LabAzure Snp() { return {lab::LabPki::Shared(), lab::LaunchState::Milan(), state}; }
  lab::LabAzure Tdx() { return {lab::TdxLabPki::Shared(), lab::TdState(), state}; }
  Result<codec::Json> EvidenceOf(lab::LabAzure& machine, http::Client& metadata) {
    const auto tee = OpenAzureTee(machine, metadata, [this](milliseconds time) { pauses.push_back(time); });
    if (!tee) return tee.error();
    return (*tee)->Evidence(asked);
  }
  Result<codec::Json> EvidenceOf(lab::LabAzure& machine) {
    const auto metadata = machine.Metadata();
    return EvidenceOf(machine, *metadata);
  }
};

TEST_F(AzureTeeTest, GivesSnpEvidenceThatVerifies) {
  lab::LabAzure machine = Snp();
  const auto json = EvidenceOf(machine);
  ASSERT_TRUE(json) << json.error().ToString();
  const auto evidence = azure::ParseSnpEvidence(*json);
  ASSERT_TRUE(evidence) << evidence.error().ToString();
  EXPECT_EQ(evidence->version, 2);
  ExpectBound(evidence->quote, evidence->hcl_report, azure::ReportType::kSnp);
  const lab::LabLists lists(lab::LabPki::Shared(), kNow);
  const auto verified =
      azure::VerifyAzSnp(*evidence, &lists, lab::LabPki::Shared().anchors(), kNow, nullptr, nullptr);
  EXPECT_TRUE(verified.tree.allowed()) << codec::ToText(verified.tree.ToJson());
}

TEST_F(AzureTeeTest, GivesTdxEvidenceThatVerifies) {
  lab::LabAzure machine = Tdx();
  const auto json = EvidenceOf(machine);
  ASSERT_TRUE(json) << json.error().ToString();
  const auto evidence = azure::ParseTdxEvidence(*json);
  ASSERT_TRUE(evidence) << evidence.error().ToString();
  ExpectBound(evidence->quote, evidence->hcl_report, azure::ReportType::kTdx);
  const lab::LabCollateral collateral(lab::TdxLabPki::Shared(), kNow);
  const auto verified =
      azure::VerifyAzTdx(*evidence, collateral, lab::TdxLabPki::Shared().anchors(), kNow, nullptr, nullptr);
  EXPECT_TRUE(verified.tree.allowed()) << codec::ToText(verified.tree.ToJson());
}

TEST_F(AzureTeeTest, IsCalledByTheHardwareUnderIt) {
  lab::LabAzure snp = Snp(), tdx = Tdx();
  const auto metadata = snp.Metadata();
  const auto sleep = [](milliseconds) {};
  EXPECT_EQ(OpenAzureTee(snp, *metadata, sleep).value()->name(), "az-snp-vtpm");
  EXPECT_EQ(OpenAzureTee(tdx, *metadata, sleep).value()->name(), "az-tdx-vtpm");
}

TEST_F(AzureTeeTest, WaitsUntilTheParavisorReportsWhatItWasGiven) {
  lab::LabAzure machine = Snp();
  machine.BeSlow(4);  // one reading to see whose report it is, three that are too early
  ASSERT_TRUE(EvidenceOf(machine));
  EXPECT_EQ(pauses, std::vector(3, milliseconds(250)));
  machine.BeSlow(1'000'000);
  lab::LabAzure stuck = Snp();
  stuck.BeSlow(1'000'000);
  const auto evidence = EvidenceOf(stuck);
  ASSERT_FALSE(evidence);
  EXPECT_EQ(evidence.error().code, ReasonCode::kOverloaded);
}

TEST_F(AzureTeeTest, HoldsInitDataToPcr8) {
  const codec::InitData init_data = codec::MakeInitData({{"a", "b"}});
  const auto measured = [&] {
    lab::LabAzure machine = Snp();
    const auto metadata = machine.Metadata();
    return OpenAzureTee(machine, *metadata, [](milliseconds) {}).value()->RequireMeasured(init_data);
  };
  EXPECT_EQ(measured().error().code, ReasonCode::kInitDataMismatch);
  state.ExtendInitData(crypto::Sha256(AsBytes(init_data.text)));
  EXPECT_TRUE(measured());
}

TEST_F(AzureTeeTest, RefusesAnswersOfTheMetadataServiceThatAreNone) {
  for (const http::Response& answer :
       {http::Response::Text(500, ""), http::Response::Text(200, "not JSON"),
        http::Response::JsonBody(200, codec::Json::Object({})),
        http::Response::JsonBody(200, codec::Json::Object({{"quote", "?"}, {"vcekCert", "?"}})),
        http::Response::JsonBody(200, codec::Json::Object({{"quote", ""}}))}) {
    SCOPED_TRACE(answer.body);
    OneAnswer metadata(answer);
    lab::LabAzure snp = Snp(), tdx = Tdx();
    EXPECT_FALSE(EvidenceOf(snp, metadata));
    EXPECT_FALSE(EvidenceOf(tdx, metadata));
  }
}

}  // namespace
}  // namespace portcullis::agent

#include "agent/tpm2/tpm2_vtpm.h"

#include <gtest/gtest.h>

#include "agent/azure_tee.h"
#include "agent/rcar.h"
#include "codec/text.h"
#include "evidence/azure/checks.h"
#include "tests/agent/tpm2/software_tpm.h"
#include "tests/lab/programs/lab_azure.h"
#include "tests/lab/snp_lists.h"

namespace portcullis::agent {
namespace {

using codec::Json;

constexpr WallTime kNow = std::chrono::sys_days(std::chrono::year(2026) / 3 / 1);
constexpr std::size_t kIndexBytes = 2048;  // what swtpm holds in one; behind the report there are zeros

/// The paravisor's data around this modulus, as if it had just been asked to report `asked`.
std::string VarDataOf(Bytes modulus, const ReportData& asked) {
  const Json key = Json::Object({{"kid", "HCLAkPub"},
                                 {"key_ops", Json::Array({"sign"})},
                                 {"kty", "RSA"},
                                 {"e", "AQAB"},
                                 {"n", codec::EncodeBase64Url(modulus)}});
  return codec::ToText(Json::Object({{"keys", Json::Array({key})},
                                     {"vm-configuration", Json::Object({{"secure-boot", true}})},
                                     {"user-data", codec::EncodeHex(asked.bytes())}}));
}

class Tpm2VtpmTest : public ::testing::Test {
 protected:
  const ReportData asked = ReportDataFor("nonce", Json::Object({{"kty", "EC"}}));
  const lab::LabPki& pki = lab::LabPki::Shared();
  const lab::LaunchState launch;
  test::SoftwareTpm tpm;

  void SetUp() override { ASSERT_TRUE(tpm.running()); }

  ByteBuffer MakeHclReport() {
    const std::string var_data = VarDataOf(tpm.MakeAttestationKey(), asked);
    const auto report = pki.Mint(launch, snp::ReportData(lab::ReportDataFor(var_data))).report;
    ByteBuffer out = lab::HclReportOf(2, report, var_data);
    out.resize(kIndexBytes);
    tpm.StoreHclReport(out);
    return out;
  }
};

TEST_F(Tpm2VtpmTest, ReadsTheParavisorsReportWhole) {
  const ByteBuffer stored = MakeHclReport();
  const auto vtpm = OpenVtpm(tpm.tcti());
  ASSERT_TRUE(vtpm) << vtpm.error().ToString();
  const auto read = (*vtpm)->ReadHclReport();
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_EQ(*read, stored);
}

TEST_F(Tpm2VtpmTest, SaysThatATpmIsNoParavisors) {
  const auto vtpm = OpenVtpm(tpm.tcti());
  ASSERT_TRUE(vtpm) << vtpm.error().ToString();
  const auto report = (*vtpm)->ReadHclReport();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ReasonCode::kNotFound) << report.error().ToString();
  EXPECT_EQ((*vtpm)->Quote(asked.bytes()).error().code, ReasonCode::kNotFound);
}

TEST_F(Tpm2VtpmTest, HandsReportDataOverAsOftenAsAsked) {
  for (const auto& data : {asked, lab::LaunchState::Filled<ReportData>(0x42)}) {
    auto vtpm = OpenVtpm(tpm.tcti());
    ASSERT_TRUE(vtpm) << vtpm.error().ToString();
    const auto written = (*vtpm)->WriteReportData(data);
    ASSERT_TRUE(written) << written.error().ToString();
    vtpm->reset();
    EXPECT_TRUE(SameBytes(tpm.ReadReportData(), data.bytes()));
  }
}

TEST_F(Tpm2VtpmTest, ReadsEveryPcrInItsPlace) {
  const auto eighth = crypto::Sha256(AsBytes("eighth")), last = crypto::Sha256(AsBytes("last"));
  tpm.ExtendPcr(8, eighth.bytes());
  tpm.ExtendPcr(23, last.bytes());
  const auto extended = [](const crypto::Sha256Digest& digest) {
    ByteBuffer both(crypto::Sha256Digest::kSize);
    Append(both, digest.bytes());
    return crypto::Sha256(both);
  };
  const auto vtpm = OpenVtpm(tpm.tcti());
  ASSERT_TRUE(vtpm) << vtpm.error().ToString();
  const auto pcrs = (*vtpm)->ReadPcrs();
  ASSERT_TRUE(pcrs) << pcrs.error().ToString();
  EXPECT_EQ((*pcrs)[8], extended(eighth));
  EXPECT_EQ((*pcrs)[23], extended(last));
  EXPECT_TRUE((*pcrs)[7].IsZero());
  EXPECT_EQ((*pcrs)[17], lab::LaunchState::Filled<crypto::Sha256Digest>(0xFF)) << "as no one has locked it";
}

// A genuine TPM's quote under the key that the hardware's report binds, through the broker's own verifier.
TEST_F(Tpm2VtpmTest, GivesEvidenceThatVerifies) {
  MakeHclReport();
  const codec::InitData init_data = codec::MakeInitData({{"a", "b"}});
  const auto digest = crypto::Sha256(AsBytes(init_data.text));
  tpm.ExtendPcr(8, digest.bytes());

  const auto vtpm = OpenVtpm(tpm.tcti());
  ASSERT_TRUE(vtpm) << vtpm.error().ToString();
  lab::LabAzure host(pki, launch, {});
  const auto metadata = host.Metadata();
  const auto tee = OpenAzureTee(**vtpm, *metadata, [](std::chrono::milliseconds) {});
  ASSERT_TRUE(tee) << tee.error().ToString();
  EXPECT_TRUE((*tee)->RequireMeasured(init_data));
  const auto json = (*tee)->Evidence(asked);
  ASSERT_TRUE(json) << json.error().ToString();

  const auto evidence = azure::ParseSnpEvidence(*json);
  ASSERT_TRUE(evidence) << evidence.error().ToString();
  const auto quote = tpm::ParseQuote(evidence->quote.message);
  ASSERT_TRUE(quote) << quote.error().ToString();
  EXPECT_TRUE(SameBytes(quote->extra_data, asked.bytes().first(48)));
  const lab::LabLists lists(pki, kNow);
  const auto verify = [&](const azure::SnpEvidence& given) {
    return azure::VerifyAzSnp(given, &lists, pki.anchors(), kNow, nullptr, nullptr);
  };
  EXPECT_TRUE(verify(*evidence).tree.allowed()) << codec::ToText(verify(*evidence).tree.ToJson());
  auto spoilt = *evidence;
  spoilt.quote.pcrs[8] = {};
  EXPECT_FALSE(verify(spoilt).tree.allowed());
}

TEST(OpenVtpm, SaysThatThereIsNoDeviceAndNothingBeside) {
  ::testing::internal::CaptureStderr();
  const auto vtpm = OpenVtpm("device:/dev/no-such-tpm");
  ASSERT_FALSE(vtpm);
  EXPECT_EQ(vtpm.error().code, ReasonCode::kNotFound);
  EXPECT_FALSE(OpenVtpm("no-such-way:"));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace portcullis::agent

#include "evidence/azure/checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "evidence/azure/vtpm_checks.h"
#include "evidence/snp/checks.h"
#include "tests/evidence/azure/snp_builder.h"

namespace portcullis::azure {
namespace {

using test::Refusals;
using test::SnpBuilder;
using testing::ElementsAre;
using testing::IsEmpty;

/// The smallest change to good evidence that each row, and no other of its table, refuses.
const test::Case<SnpBuilder> kCases[] = {
    {"az.hcl-well-formed",
     [](SnpBuilder& b) { b.alter = [](SnpEvidence& e) { e.hcl_report.at(12) ^= std::byte{1}; }; }},
    {"az.quote-well-formed",
     [](SnpBuilder& b) { b.alter = [](SnpEvidence& e) { e.quote.message.at(5) ^= std::byte{1}; }; }},
    {"az.hcl-bound",
     [](SnpBuilder& b) { b.hardware_report_data = std::array<std::byte, 64>{}; },
     {"snp.report-data"}},
    {"az.vtpm-signature",
     [](SnpBuilder& b) { b.alter = [](SnpEvidence& e) { e.quote.signature.at(9) ^= std::byte{1}; }; }},
    {"az.pcr-digest",
     [](SnpBuilder& b) { b.alter = [](SnpEvidence& e) { std::swap(e.quote.pcrs[2], e.quote.pcrs[3]); }; }},
    {"az.vtpm-nonce", [](SnpBuilder& b) { b.extra_data = ByteBuffer(48, std::byte{0x43}); }},
    {"az.pcrs-selected", [](SnpBuilder& b) { b.vtpm.selection &= ~(1u << 7); }},
    {"az.pcrs-allowed", [](SnpBuilder& b) { b.vtpm.pcrs[7] = crypto::Sha256(AsBytes("another")); }},
    {"az.init-data", [](SnpBuilder& b) { b.vtpm.ExtendInitData(crypto::Sha256(AsBytes("init-data"))); }},
    {"az.secure-boot", [](SnpBuilder& b) { b.vtpm.secure_boot = false; }},
    {"az.user-data", [](SnpBuilder& b) { b.user_data = std::array<std::byte, 64>{}; }},
};

TEST(AzureSnpChecks, AllowGoodEvidenceOfEachVersion) {
  for (const std::int64_t version : {0, 1, 2}) {
    SnpBuilder builder;
    builder.version = version;
    const auto verified = builder.Verify();
    EXPECT_TRUE(verified.tree.allowed()) << codec::ToPrettyText(verified.tree.ToJson());
    EXPECT_TRUE(builder.VerifyBaseline().tree.allowed());
    EXPECT_EQ(
        testing::Matches(testing::Contains(testing::HasSubstr("the vTPM alone says")))(verified.not_proven),
        version < 2);
  }
}

TEST(AzureSnpChecks, EachRefusesItsOwnDefectAndOnlyThat) {
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.id);
    SnpBuilder builder;
    c.spoil(builder);
    std::vector<std::string> expected = c.also;
    expected.emplace_back(c.id);
    const auto verified = builder.Verify();
    EXPECT_THAT(Refusals(verified.tree), testing::ElementsAreArray(expected));
    EXPECT_FALSE(verified.tree.allowed());
  }
}

TEST(AzureSnpChecks, HaveACaseEach) {
  std::vector<std::string> rows, cases;
  for (const evidence::Finding& row : CheckRows())
    if (row.check_id != "az.td-report") rows.emplace_back(row.check_id);  // TDX has its own
  for (const auto& c : kCases) cases.emplace_back(c.id);
  EXPECT_EQ(cases, rows);
}

TEST(AzureSnpChecks, HaveTheSameRowsWhateverTheEvidence) {
  const auto ids = [](const evidence::Verification& verified) {
    std::vector<std::string> out;
    for (const evidence::Finding& finding : verified.tree.findings) out.emplace_back(finding.check_id);
    return out;
  };
  const auto rows = ids(SnpBuilder().Verify());
  EXPECT_EQ(rows.size(), snp::CheckRows().size() + CheckRows().size() - 1);
  for (const auto& c : kCases) {
    SnpBuilder builder;
    c.spoil(builder);
    EXPECT_EQ(ids(builder.Verify()), rows) << c.id;
  }
  SnpBuilder empty;
  empty.alter = [](SnpEvidence& e) { e = SnpEvidence{}; };
  EXPECT_EQ(ids(empty.Verify()), rows);
}

TEST(AzureSnpChecks, RefuseTheHardwaresOwnDefects) {
  SnpBuilder builder;
  builder.hardware.policy |= 1u << 19;
  EXPECT_THAT(Refusals(builder.Verify().tree), ElementsAre("snp.debug-off"));
  builder = SnpBuilder();
  builder.hardware.vmpl = 1;
  EXPECT_THAT(Refusals(builder.Verify().tree), ElementsAre("snp.vmpl-allowed"));
  builder = SnpBuilder();
  builder.alter = [](SnpEvidence& e) { e.certificates.clear(); };
  EXPECT_THAT(Refusals(builder.Verify().tree), ElementsAre("snp.certificate-present"));
}

evidence::Outcome OutcomeOf(const evidence::Verification& verified, std::string_view id) {
  for (const evidence::Finding& finding : verified.tree.findings)
    if (finding.check_id == id) return finding.outcome;
  ADD_FAILURE() << "no row " << id;
  return {};
}

TEST(AzureSnpChecks, BelieveNothingUnderAReportThatIsNotAuthentic) {
  SnpBuilder builder;
  builder.alter = [](SnpEvidence& e) { e.hcl_report.at(0x20 + 0x90) ^= std::byte{1}; };  // MEASUREMENT
  const auto verified = builder.Verify();
  EXPECT_THAT(Refusals(verified.tree), ElementsAre("snp.signature-valid"));
  EXPECT_TRUE(verified.not_proven.empty());
  for (const char* id : {"az.hcl-bound", "az.vtpm-nonce", "az.pcrs-allowed"})
    EXPECT_EQ(OutcomeOf(verified, id), evidence::Outcome::kNotEvaluated) << id;
}

TEST(AzureSnpChecks, BelieveNoKeyThatTheHardwareDidNotSign) {
  SnpBuilder builder;
  const lab::AzureVm stranger = lab::AzureVm::Generate();
  builder.alter = [&](SnpEvidence& e) {
    const Bytes report = Bytes(e.hcl_report).subspan(0x20, 0x4A0);
    const ByteBuffer hcl = lab::HclReportOf(2, report, stranger.VarData(builder.vtpm, {}));
    const auto quote = stranger.Quote(builder.vtpm, builder.report_data);
    e.hcl_report = hcl;
    e.quote.message = quote.message;
    e.quote.signature = quote.signature;
  };
  EXPECT_THAT(Refusals(builder.Verify().tree), ElementsAre("snp.report-data", "az.hcl-bound"));
  EXPECT_THAT(Refusals(builder.VerifyBaseline().tree), ElementsAre("az.hcl-bound"));
}

TEST(AzureSnpChecks, CompareTheWholeNonce) {
  SnpBuilder builder;
  builder.extra_data = ByteBuffer();
  EXPECT_THAT(Refusals(builder.Verify().tree), ElementsAre("az.vtpm-nonce"));
  builder.extra_data = ByteBuffer(47, std::byte{0x42});
  EXPECT_THAT(Refusals(builder.Verify().tree), ElementsAre("az.vtpm-nonce"));
  builder.extra_data = builder.report_data;
  builder.extra_data->resize(64);
  EXPECT_THAT(Refusals(builder.Verify().tree), ElementsAre("az.vtpm-nonce"));
}

TEST(AzureSnpChecks, NeverReadAPcrThatIsNotQuoted) {
  SnpBuilder builder;
  builder.vtpm.selection = (1u << 4) | (1u << 7);
  auto verified = builder.Verify();
  EXPECT_THAT(Refusals(verified.tree), ElementsAre("az.pcrs-selected"));
  EXPECT_EQ(OutcomeOf(verified, "az.init-data"), evidence::Outcome::kNotEvaluated);
  builder.vtpm.selection = 1u << 8;
  verified = builder.Verify();
  EXPECT_THAT(Refusals(verified.tree), ElementsAre("az.pcrs-selected"));
  EXPECT_EQ(OutcomeOf(verified, "az.pcrs-allowed"), evidence::Outcome::kNotEvaluated);
  builder.vtpm.selection = (1u << 4) | (1u << 7) | (1u << 8);
  EXPECT_TRUE(builder.Verify().tree.allowed());
  // And what is not quoted has no value in the claims.
  const codec::Json claims = builder.Verify().claims;
  EXPECT_EQ(claims.At({"vtpm", "pcrs"})->if_object()->size(), 3u);
}

TEST(AzureSnpChecks, RefuseAnEmptyListOfPcrs) {
  SnpBuilder builder;
  builder.reference.vtpm.pcrs.clear();
  EXPECT_THAT(Refusals(builder.Verify().tree), ElementsAre("az.pcrs-allowed"));
  builder.reference.vtpm.pcrs = {{4, {}}};
  EXPECT_THAT(Refusals(builder.Verify().tree), ElementsAre("az.pcrs-allowed"));
  builder.reference.vtpm.pcrs = {{24, {crypto::Sha256Digest()}}};
  EXPECT_THAT(Refusals(builder.Verify().tree), ElementsAre("az.pcrs-selected"));
}

TEST(AzureSnpChecks, HoldPcr8ToTheInitData) {
  SnpBuilder builder;
  builder.init_data = crypto::Sha256(AsBytes("init-data"));
  EXPECT_THAT(Refusals(builder.Verify().tree), ElementsAre("az.init-data"));
  builder.vtpm.ExtendInitData(*builder.init_data);
  EXPECT_TRUE(builder.Verify().tree.allowed());
  builder.vtpm.ExtendInitData(crypto::Sha256(AsBytes("other")));
  EXPECT_THAT(Refusals(builder.Verify().tree), ElementsAre("az.init-data"));
}

TEST(AzureSnpChecks, AllowSecureBootOffOnlyWhereThePolicySaysSo) {
  SnpBuilder builder;
  builder.vtpm.secure_boot = false;
  builder.reference.vtpm.secure_boot_required = false;
  EXPECT_TRUE(builder.Verify().tree.allowed());
}

TEST(AzureSnpChecks, LeaveThePolicyOpenWithNothingToBindTo) {
  const SnpBuilder builder;
  EXPECT_FALSE(VerifyAzSnp(builder.Evidence(), &portcullis::test::CurrentLists(),
                           lab::LabPki::Shared().anchors(), portcullis::test::kEvidenceTime,
                           &builder.reference, nullptr)
                   .tree.allowed());
}

TEST(AzureSnpChecks, ClaimWhatTheVtpmSaid) {
  SnpBuilder builder;
  builder.vtpm.reset_count = 53;
  const codec::Json claims = builder.Verify().claims;
  EXPECT_EQ(claims.At({"vtpm", "resetCount"})->if_int64(), 53);
  EXPECT_EQ(claims.TextAt({"vtpm", "vmId"}), builder.vtpm.vm_id);
  EXPECT_EQ(claims.At({"vtpm", "evidenceVersion"})->if_int64(), 2);
  EXPECT_TRUE(*claims.At({"vtpm", "secureBoot"})->if_bool());
  EXPECT_TRUE(*claims.Find("authentic")->if_bool());
}

}  // namespace
}  // namespace portcullis::azure

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "evidence/azure/vtpm_checks.h"
#include "tests/evidence/azure/snp_builder.h"
#include "tests/evidence/tdx/manifest.h"
#include "tests/lab/tdx_lab.h"

namespace portcullis::azure {
namespace {

using lab::TdxLabPki;
using test::Refusals;
using testing::ElementsAre;

lab::TdState AzureTd() {
  lab::TdState state;
  state.SetEvents({});  // on Azure the RTMRs are zero: the workload is in the vTPM
  return state;
}

/// Good evidence of an Azure VM on TDX with a policy that it meets, to be spoiled one thing at a time.
struct TdxBuilder {
  lab::TdState hardware = AzureTd();
  lab::AzureState vtpm;
  std::int64_t version = 2;
  ByteBuffer report_data = ByteBuffer(48, std::byte{0x42});
  std::optional<ByteBuffer> extra_data;
  std::optional<std::array<std::byte, 64>> user_data;
  std::optional<std::array<std::byte, 64>> hardware_report_data;
  std::function<void(lab::TdState&)> change_td_report = [](lab::TdState&) {};
  std::function<void(TdxEvidence&)> alter = [](TdxEvidence&) {};
  TdxReferenceValues reference = DefaultReference();

  static TdxReferenceValues DefaultReference() {
    tdx::TdReport report{};
    report.mr_td = AzureTd().mr_td;
    return {tdx::test::DefaultReference(report), test::VtpmReference()};
  }

  TdxEvidence Evidence() const {
    const lab::AzureVm& vm = lab::AzureVm::Shared();
    const auto boot_time = std::array<std::byte, 64>{};
    const std::string var_data =
        vm.VarData(vtpm, user_data.value_or(version < 2 ? boot_time : test::Padded(report_data)));
    const auto signed_data = hardware_report_data.value_or(lab::ReportDataFor(var_data));
    lab::TdState in_report = hardware;
    change_td_report(in_report);
    const auto& rtmrs = in_report.rtmrs;
    const ByteBuffer td_report = lab::TdReportOf(
        {in_report.mr_td.bytes(), {rtmrs[0].bytes(), rtmrs[1].bytes(), rtmrs[2].bytes(), rtmrs[3].bytes()}},
        signed_data);
    const ByteBuffer quote = TdxLabPki::Shared().Mint(hardware, tdx::ReportData(signed_data));
    TdxEvidence evidence =
        ParseTdxEvidence(lab::AzureTdxEvidence(version, vtpm,
                                               vm.Quote(vtpm, extra_data.value_or(report_data)),
                                               lab::HclReportOf(4, td_report, var_data), quote))
            .value();
    alter(evidence);
    return evidence;
  }
  evidence::Verification Verify() const {
    const Binding binding{report_data, std::nullopt};
    const WallTime now = portcullis::test::kEvidenceTime;
    const lab::TdxCollateralOptions options{.issued = now - std::chrono::hours(1)};
    const tdx::test::OneCollateral collateral(TdxLabPki::Shared().CollateralFor(hardware, options));
    return VerifyAzTdx(Evidence(), collateral, TdxLabPki::Shared().anchors(), now, &reference, &binding);
  }
};

const test::Case<TdxBuilder> kCases[] = {
    {"az.hcl-well-formed",
     [](TdxBuilder& b) { b.alter = [](TdxEvidence& e) { e.hcl_report.at(12) ^= std::byte{1}; }; },
     {"tdx.reportdata"}},
    {"az.quote-well-formed",
     [](TdxBuilder& b) { b.alter = [](TdxEvidence& e) { e.quote.message.at(5) ^= std::byte{1}; }; }},
    {"az.hcl-bound",
     [](TdxBuilder& b) { b.hardware_report_data = std::array<std::byte, 64>{}; },
     {"tdx.reportdata"}},
    {"az.vtpm-signature",
     [](TdxBuilder& b) { b.alter = [](TdxEvidence& e) { e.quote.signature.at(9) ^= std::byte{1}; }; }},
    {"az.pcr-digest",
     [](TdxBuilder& b) { b.alter = [](TdxEvidence& e) { std::swap(e.quote.pcrs[2], e.quote.pcrs[3]); }; }},
    {"az.td-report",
     [](TdxBuilder& b) {
       b.change_td_report = [](lab::TdState& s) { s.mr_td = lab::TdState::Filled<tdx::Measurement>(0xD1); };
     }},
    {"az.vtpm-nonce", [](TdxBuilder& b) { b.extra_data = ByteBuffer(48, std::byte{0x43}); }},
    {"az.pcrs-selected", [](TdxBuilder& b) { b.vtpm.selection &= ~(1u << 7); }},
    {"az.pcrs-allowed", [](TdxBuilder& b) { b.vtpm.pcrs[7] = crypto::Sha256(AsBytes("another")); }},
    {"az.init-data", [](TdxBuilder& b) { b.vtpm.ExtendInitData(crypto::Sha256(AsBytes("init-data"))); }},
    {"az.secure-boot", [](TdxBuilder& b) { b.vtpm.secure_boot = false; }},
    {"az.user-data", [](TdxBuilder& b) { b.user_data = std::array<std::byte, 64>{}; }},
};

TEST(AzureTdxChecks, AllowGoodEvidenceOfEachVersion) {
  for (const std::int64_t version : {0, 1, 2}) {
    TdxBuilder builder;
    builder.version = version;
    const auto verified = builder.Verify();
    EXPECT_TRUE(verified.tree.allowed()) << codec::ToPrettyText(verified.tree.ToJson());
  }
}

TEST(AzureTdxChecks, EachRefusesItsOwnDefectAndOnlyThat) {
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.id);
    TdxBuilder builder;
    c.spoil(builder);
    std::vector<std::string> expected = c.also;
    expected.emplace_back(c.id);
    EXPECT_THAT(Refusals(builder.Verify().tree), testing::ElementsAreArray(expected));
  }
}

TEST(AzureTdxChecks, HaveACaseEach) {
  std::vector<std::string> rows, cases;
  for (const evidence::Finding& row : CheckRows()) rows.emplace_back(row.check_id);
  for (const auto& c : kCases) cases.emplace_back(c.id);
  EXPECT_EQ(cases, rows);
}

TEST(AzureTdxChecks, HoldEachRtmrOfTheTdReportToTheQuote) {
  for (std::size_t i = 0; i < 4; ++i) {
    TdxBuilder builder;
    builder.change_td_report = [i](lab::TdState& s) {
      s.rtmrs[i] = lab::TdState::Filled<tdx::Measurement>(1);
    };
    EXPECT_THAT(Refusals(builder.Verify().tree), ElementsAre("az.td-report")) << i;
  }
}

TEST(AzureTdxChecks, RefuseTheHardwaresOwnDefects) {
  TdxBuilder builder;
  builder.reference.tdx.mr_td = {lab::TdState::Filled<tdx::Measurement>(0xEE)};
  const auto refusals = Refusals(builder.Verify().tree);
  ASSERT_EQ(refusals.size(), 1u);
  EXPECT_TRUE(refusals.front().starts_with("tdx."));
}

}  // namespace
}  // namespace portcullis::azure

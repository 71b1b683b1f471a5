#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "codec/text.h"
#include "evidence/tdx/checks.h"
#include "evidence/tdx/collateral_gate.h"
#include "evidence/tdx/event_log.h"
#include "evidence/tdx/pck_extension.h"
#include "tests/lab/tdx_lab.h"
#include "tests/lab/tdx_lab_collateral.h"

namespace portcullis::lab {
namespace {

using tdx::EvaluationSet;
using tdx::TcbStatus;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr WallTime kNow = std::chrono::sys_days(std::chrono::year(2026) / 3 / 1);

tdx::ReportData Nonce() { return TdState::Filled<tdx::ReportData>(0x42); }

/// The collateral of a test in place of any other.
class OneCollateral : public tdx::CollateralSource {
 public:
  explicit OneCollateral(tdx::CollateralBytes bytes) : only_(tdx::Collateral::Of(std::move(bytes))) {}
  std::shared_ptr<const tdx::Collateral> Find(const tdx::Fmspc&, tdx::PckCa, EvaluationSet) const override {
    return only_;
  }

 private:
  std::shared_ptr<const tdx::Collateral> only_;
};

tdx::ReferenceValues ReferenceOf(const TdState& state, EvaluationSet set = EvaluationSet::kStandard) {
  using Mode = tdx::MeasurementRule::Mode;
  const tdx::MeasurementRule any{Mode::kAny, {}}, absent{Mode::kAbsent, {}};
  tdx::ReferenceValues out{};
  out.mr_td = {state.mr_td};
  out.mr_seam = {Mode::kListed, {state.mr_seam}};
  for (std::size_t i = 0; i < 3; ++i) out.rtmrs[i] = {Mode::kListed, {state.rtmrs[i]}};
  out.rtmrs[3] = any;
  out.mr_owner = out.mr_owner_config = out.mr_service_td = absent;
  out.td_attributes_must_set = 0x10000000;
  out.xfam_allowed = state.xfam;
  out.evaluation_set = set;
  out.tcb_statuses = {TcbStatus::kUpToDate};
  out.any_genuine_platform = true;
  return out;
}

evidence::Verification VerifyWith(const TdState& state, const tdx::Evidence& evidence,
                                  const tdx::CollateralSource& collateral,
                                  EvaluationSet set = EvaluationSet::kStandard) {
  const tdx::ReferenceValues reference = ReferenceOf(state, set);
  const tdx::Binding binding{Nonce(), std::nullopt};
  return tdx::VerifyTdx(evidence, collateral, TdxLabPki::Shared().anchors(), kNow, &reference, &binding);
}

/// The checks that refuse a TD of this state.
std::vector<std::string> Refusals(const evidence::Verification& verification) {
  std::vector<std::string> out;
  for (const evidence::Finding& finding : verification.tree.findings)
    if (finding.outcome == evidence::Outcome::kFailed) out.emplace_back(finding.check_id);
  return out;
}
std::vector<std::string> RefusalsOf(const TdState& state, EvaluationSet set = EvaluationSet::kStandard) {
  const TdxLabPki& pki = TdxLabPki::Shared();
  return Refusals(VerifyWith(state, pki.MintEvidence(state, Nonce()), LabCollateral(pki, kNow), set));
}

std::vector<std::string> RefusalsUnder(const TdxCollateralSpec& spec) {
  const TdState state;
  return Refusals(VerifyWith(state, TdxLabPki::Shared().MintEvidence(state, Nonce()),
                             OneCollateral(SignCollateral(spec))));
}
TdxCollateralSpec HealthySpec() {
  return TdxLabPki::Shared().CollateralSpecFor({}, {.issued = kNow - std::chrono::hours(1)});
}

std::vector<std::string> RefusalsAfter(const TdxMintChanges& changes) {
  const TdState state;
  const TdxLabPki& pki = TdxLabPki::Shared();
  return Refusals(
      VerifyWith(state, {pki.Mint(state, Nonce(), changes), state.EventLog()}, LabCollateral(pki, kNow)));
}

TEST(TdxLab, HealthyTdsPassInEveryFormOfQuote) {
  EXPECT_THAT(RefusalsOf({}), IsEmpty());
  EXPECT_THAT(RefusalsOf(TdState::Version5()), IsEmpty());
  TdState tdx10 = TdState::Version5();
  tdx10.tdx15.reset();
  EXPECT_THAT(RefusalsOf(tdx10), IsEmpty());
  TdState processor;
  processor.ca = tdx::PckCa::kProcessor;
  EXPECT_THAT(RefusalsOf(processor), IsEmpty());
  EXPECT_THAT(RefusalsOf({}, EvaluationSet::kEarly), IsEmpty());
}

TEST(TdxLab, NothingOfItPassesUnderIntelsRoot) {
  const TdxLabPki& pki = TdxLabPki::Shared();
  const auto verification = tdx::VerifyTdx(pki.MintEvidence({}, Nonce()), LabCollateral(pki, kNow),
                                           tdx::IntelTrustAnchors(), kNow, nullptr, nullptr);
  EXPECT_FALSE(verification.tree.allowed());
  EXPECT_THAT(verification.tree.reasons(), testing::Contains(ReasonCode::kChainUntrusted));
}

TEST(TdxLab, QuotesSayWhatTheStateSays) {
  TdState state = TdState::Version5();
  state.mr_td = TdState::Filled<tdx::Measurement>(0x11);
  state.mr_config_id = TdState::Filled<tdx::Measurement>(0x22);
  state.mr_owner = TdState::Filled<tdx::Measurement>(0x33);
  state.mr_owner_config = TdState::Filled<tdx::Measurement>(0x44);
  state.tdx15->mr_service_td = TdState::Filled<tdx::Measurement>(0x55);
  state.td_attributes = 0x50000000;
  const ByteBuffer bytes = TdxLabPki::Shared().Mint(state, Nonce());
  const auto quote = tdx::ParseQuote(bytes);
  ASSERT_TRUE(quote) << quote.error().ToString();
  EXPECT_EQ(quote->version, 5);
  EXPECT_EQ(quote->report.mr_td, state.mr_td);
  EXPECT_EQ(quote->report.mr_config_id, state.mr_config_id);
  EXPECT_EQ(quote->report.mr_owner, state.mr_owner);
  EXPECT_EQ(quote->report.mr_owner_config, state.mr_owner_config);
  EXPECT_EQ(quote->report.rtmrs, state.rtmrs);
  EXPECT_EQ(quote->report.td_attributes, state.td_attributes);
  EXPECT_EQ(quote->report.xfam, state.xfam);
  EXPECT_EQ(quote->report.tee_tcb_svn, state.tee_tcb_svn);
  EXPECT_EQ(quote->report.report_data, Nonce());
  ASSERT_TRUE(quote->report.tdx15);
  EXPECT_EQ(quote->report.tdx15->mr_service_td, state.tdx15->mr_service_td);
  EXPECT_EQ(quote->qe_report.isv_svn, state.qe_isv_svn);
  const auto platform = tdx::PlatformOf(*quote);
  ASSERT_TRUE(platform) << platform.error().ToString();
  EXPECT_EQ(platform->fmspc, state.fmspc);
  EXPECT_EQ(platform->ppid, state.ppid);
  EXPECT_EQ(platform->ca, tdx::PckCa::kPlatform);
}

TEST(TdxLab, APlatformKeepsItsCertificateAndKey) {
  const ByteBuffer first = TdxLabPki::Shared().Mint({}, Nonce());
  const ByteBuffer second = TdxLabPki::Shared().Mint({}, {});
  TdState elsewhere;
  elsewhere.ppid = TdState::Filled<tdx::Ppid>(0x77);
  const ByteBuffer third = TdxLabPki::Shared().Mint(elsewhere, {});
  const auto part = [](const ByteBuffer& bytes) { return tdx::ParseQuote(bytes)->platform_part; };
  EXPECT_TRUE(SameBytes(part(first), part(second)));
  EXPECT_FALSE(SameBytes(part(first), part(third)));
}

TEST(TdxLab, TcbsDifferByTheSetThatCounts) {
  EXPECT_THAT(RefusalsOf(TdState::Outdated()), ElementsAre("tdx.tcb-status-not-allowed"));
  TdState standard;  // patched as the standard set wants it, not yet as the early one does
  standard.components = {3, 3, 2, 2, 4, 1, 0, 5};
  EXPECT_THAT(RefusalsOf(standard), IsEmpty());
  EXPECT_THAT(RefusalsOf(standard, EvaluationSet::kEarly), ElementsAre("tdx.tcb-status-not-allowed"));
}

TEST(TdxLab, TheLogYieldsTheRegisters) {
  const TdState state;
  const ByteBuffer bytes = state.EventLog();
  const auto log = tdx::ParseEventLog(bytes);
  ASSERT_TRUE(log) << log.error().ToString();
  EXPECT_EQ(log->Replay(), state.rtmrs);
  EXPECT_EQ(log->events.size(), state.events.size());
  for (const tdx::Event& event : log->events) EXPECT_TRUE(tdx::DataIsBound(event)) << event.type;

  TdState other;
  other.SetEvents({TextEvent(3, tdx::kEvEventTag, "runtime"), TextEvent(0, tdx::kEvSeparator, "")});
  const ByteBuffer area = WriteEventLog(other.events, 4096);
  EXPECT_EQ(area.size(), 4096u);
  EXPECT_EQ(tdx::ParseEventLog(area)->Replay(), other.rtmrs);
  EXPECT_TRUE(other.rtmrs[1].IsZero());
  EXPECT_FALSE(other.rtmrs[3].IsZero());
}

TEST(TdxLab, ALogOfAnotherBootIsRefused) {
  TdState state;
  state.events.front().digest = TdState::Filled<tdx::Measurement>(0x66);
  EXPECT_THAT(RefusalsOf(state), ElementsAre("tdx.eventlog-mismatch"));
}

TEST(TdxLab, CollateralPassesTheGateOfTheStore) {
  const TdxLabPki& pki = TdxLabPki::Shared();
  const auto bytes = pki.CollateralFor({}, {.issued = kNow, .set = EvaluationSet::kEarly});
  const auto facts = tdx::ExamineCollateral(bytes, pki.anchors(), kNow);
  ASSERT_TRUE(facts) << facts.error().ToString();
  EXPECT_EQ(facts->tcb_info.fmspc, TdState::LabFmspc());
  EXPECT_EQ(facts->tcb_info.evaluation_number, 20u);
  EXPECT_EQ(facts->qe_identity.evaluation_number, 20u);
  EXPECT_FALSE(tdx::ExamineCollateral(bytes, tdx::IntelTrustAnchors(), kNow));
}

TEST(TdxLab, OptionsMakeTheSmallestDefectOfCollateral) {
  TdxCollateralSpec spec = HealthySpec();
  EXPECT_THAT(RefusalsUnder(spec), IsEmpty());

  spec.tcb_info_signer = GenerateP256();
  EXPECT_THAT(RefusalsUnder(spec), ElementsAre("tdx.tcbinfo-signature"));

  spec = HealthySpec();
  spec.qe_identity.Set("isvprodid", 3);
  EXPECT_THAT(RefusalsUnder(spec), ElementsAre("tdx.qe-identity"));

  spec = HealthySpec();
  spec.pck_crl.list.next_update = kNow - std::chrono::seconds(1);
  EXPECT_THAT(RefusalsUnder(spec), ElementsAre("tdx.crl-stale"));

  spec = HealthySpec();
  spec.pck_crl.list.revoked = {PckSerialOf({})};
  EXPECT_THAT(RefusalsUnder(spec), ElementsAre("tdx.pck-revoked"));

  spec = HealthySpec();
  spec.root_crl.list.revoked = {TdxLabPki::Shared().authority(tdx::PckCa::kPlatform).certificate.serial()};
  EXPECT_THAT(RefusalsUnder(spec), ElementsAre("tdx.ca-revoked"));

  const TdxCollateralOptions revoked{.issued = kNow, .platform_status = "Revoked"};
  EXPECT_THAT(RefusalsUnder(TdxLabPki::Shared().CollateralSpecFor({}, revoked)),
              ElementsAre("tdx.tcb-revoked", "tdx.tcb-status-not-allowed"));
}

TEST(TdxLab, ChangesMakeTheSmallestDefectOfAQuote) {
  EXPECT_THAT(RefusalsAfter({.after_signing = [](QuoteParts& parts) { parts.signature[9] ^= std::byte{1}; }}),
              ElementsAre("tdx.quote-signature"));
  EXPECT_THAT(RefusalsAfter({.qe_report = [](ByteBuffer& report) { report[340] ^= std::byte{1}; }}),
              ElementsAre("tdx.qe-binding"));
  EXPECT_THAT(RefusalsAfter({.pck = [](PckSpec& spec) { spec.extension->cpu_svn[0] ^= std::byte{1}; }}),
              ElementsAre("tdx.pck-ext"));
  EXPECT_THAT(
      RefusalsAfter({.before_signing = [](QuoteParts& parts) { parts.signed_part[8] = std::byte{1}; }}),
      ElementsAre("tdx.quote-reserved"));
}

TEST(TdxLab, ExtensionsOfAPckCanBeWrongInEachField) {
  const TdxLabPki& pki = TdxLabPki::Shared();
  const auto parsed = [&](const std::function<void(SgxExtension&)>& change) {
    PckSpec spec = PckSpecFor({});
    change(*spec.extension);
    return tdx::ParsePckExtension(pki.IssuePck(spec).certificate);
  };
  EXPECT_TRUE(parsed([](SgxExtension&) {}));
  for (const char* arc : {"1", "2", "2.1", "2.16", "2.17", "2.18", "3", "4", "5"}) {
    SCOPED_TRACE(arc);
    EXPECT_FALSE(parsed([&](SgxExtension& extension) { extension.without = {arc}; }));
    EXPECT_FALSE(parsed([&](SgxExtension& extension) { extension.twice = {arc}; }));
  }
  EXPECT_FALSE(parsed([](SgxExtension& extension) { extension.components[3] = 256; }));
  EXPECT_FALSE(parsed([](SgxExtension& extension) { extension.fmspc.pop_back(); }));
}

TEST(TdxLab, IsTheSameAfterItWasSaved) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "portcullis-tdx-lab-test";
  const TdxLabPki made = TdxLabPki::Generate();
  ASSERT_TRUE(made.Save(folder));
  const auto loaded = TdxLabPki::Load(folder);
  ASSERT_TRUE(loaded) << loaded.error().ToString();
  EXPECT_EQ(loaded->anchors().root_spki, made.anchors().root_spki);
  const auto verification = tdx::VerifyTdx(made.MintEvidence({}, Nonce()), LabCollateral(*loaded, kNow),
                                           loaded->anchors(), kNow, nullptr, nullptr);
  EXPECT_THAT(Refusals(verification), IsEmpty());
  std::filesystem::remove_all(folder);
  EXPECT_FALSE(TdxLabPki::Load(folder));
}

TEST(TdStateJson, KeepsEveryMember) {
  TdState state = TdState::Version5();
  state.mr_config_id = TdState::Filled<tdx::Measurement>(1);
  state.components[2] = 9;
  state.ca = tdx::PckCa::kProcessor;
  state.SetEvents({TextEvent(2, tdx::kEvIpl, "kernel_cmdline: quiet")});
  state.rtmrs[3] = TdState::Filled<tdx::Measurement>(2);
  const codec::Json json = ToJson(state);
  const auto read = TdStateFromJson(json);
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_EQ(codec::ToText(ToJson(*read)), codec::ToText(json));
  EXPECT_EQ(read->rtmrs, state.rtmrs);
  EXPECT_EQ(read->EventLog(), state.EventLog());
}

TEST(TdStateJson, TakesDefaultsForWhatIsLeftOut) {
  const auto read = TdStateFromJson(codec::Json::Object({}));
  ASSERT_TRUE(read);
  EXPECT_EQ(codec::ToText(ToJson(*read)), codec::ToText(ToJson(TdState())));
}

TEST(TdStateJson, RefusesWhatItDoesNotKnow) {
  EXPECT_FALSE(TdStateFromJson(codec::Json::Object({{"measurement", "00"}})));
  EXPECT_FALSE(TdStateFromJson(codec::Json::Object({{"mrTd", "00"}})));
  EXPECT_FALSE(TdStateFromJson(codec::Json::Object({{"xfam", "3"}})));
  EXPECT_FALSE(TdStateFromJson(codec::Json::Object({{"ca", "root"}})));
  EXPECT_FALSE(TdStateFromJson(codec::Json::Object({{"tee", "snp"}})));
}

}  // namespace
}  // namespace portcullis::lab

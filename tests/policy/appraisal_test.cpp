#include <gtest/gtest.h>

#include "evidence/snp/given_endorsements.h"
#include "policy/policy.h"
#include "tests/lab/snp_lists.h"
#include "tests/policy/complete_policy.h"
#include "tests/support/fake_clock.h"
#include "tests/support/no_collateral.h"

namespace portcullis::policy {
namespace {

using codec::Json;
using lab::LabPki;
using lab::LaunchState;

/// One attestation that the complete policy allows; a test spoils what it wants refused.
struct Attestation {
  Json document = test::CompletePolicy();
  LaunchState state = LaunchState::Milan();
  Requester requester;
  snp::ReportData report_data = LaunchState::Filled<snp::ReportData>(0x5A);
  snp::ReportData report_data_in_report = report_data;
  bool without_snp_rules = false;

  Attestation() {
    state.id_key_digest = LaunchState::Filled<snp::KeyDigest>(0x11);
    requester.namespace_name = "team-a";
    requester.service_account = "inference";
    requester.key_name = "llama-70b";
    Admit({{"policy.rego", "package agent_policy\n"}, {"portcullis.json", "{\"version\":1}"}});
  }

  /// The webhook admits init-data, and the hardware measures it.
  void Admit(const std::map<std::string, std::string>& entries) {
    requester.init_data = codec::MakeInitData(entries);
    requester.admitted_init_data = crypto::Sha256(AsBytes(requester.init_data.text));
    state.host_data = snp::HostData(requester.admitted_init_data.array());
  }

  Appraisal Appraise() const {
    const LabPki& pki = LabPki::Shared();
    const lab::MintedEvidence minted = pki.Mint(state, report_data_in_report);
    auto policy = ParsePolicy(document);
    EXPECT_TRUE(policy) << policy.error().ToString();
    if (without_snp_rules) policy->snp.reset();
    const lab::LabLists lists(pki, test::FakeClock().Now());
    const snp::TrustAnchors anchors = pki.anchors();
    return policy::Appraise(
        *policy, requester, SnpEvidence{minted.report, {minted.leaf}}, report_data.bytes(),
        {anchors, lists, tdx::IntelTrustAnchors(), test::NoCollateral()}, test::FakeClock().Now());
  }
};

std::vector<std::string> FailedIds(const Appraisal& appraisal) {
  std::vector<std::string> out;
  for (const evidence::Finding& finding : appraisal.tree.findings)
    if (finding.outcome == evidence::Outcome::kFailed) out.emplace_back(finding.check_id);
  return out;
}

TEST(Appraisal, AllowsWhatThePolicyDemands) {
  const Appraisal appraisal = Attestation().Appraise();
  EXPECT_TRUE(appraisal.tree.allowed()) << codec::ToPrettyText(appraisal.tree.ToJson());
  EXPECT_FALSE(appraisal.not_proven.empty());
}

TEST(Appraisal, AllowsTheOtherSubjectWithoutPinnedEntries) {
  Attestation attestation;
  attestation.requester.namespace_name = "team-b";
  attestation.requester.service_account = "batch";
  attestation.Admit({{"portcullis.json", "{}"}});
  EXPECT_TRUE(attestation.Appraise().tree.allowed());
}

/// The smallest change to a good attestation that one row, and no other, refuses.
struct Case {
  const char* id;
  ReasonCode reason;
  void (*spoil)(Attestation&);
};

Json& Snp(Attestation& a) { return *a.document.Find("tees")->Find("snp"); }
Json Texts(std::initializer_list<Json> texts) { return Json::Array(texts); }

const Case kCases[] = {
    // What the request says.
    {"policy.tee-allowed", ReasonCode::kTeeMismatch, [](Attestation& a) { a.without_snp_rules = true; }},
    {"policy.key-allowed", ReasonCode::kSubjectNotAllowed,
     [](Attestation& a) { a.requester.key_name = "mistral"; }},
    {"policy.subject-allowed", ReasonCode::kSubjectNotAllowed,
     [](Attestation& a) { a.requester.service_account = "default"; }},
    {"policy.init-data-algorithm", ReasonCode::kInitDataMismatch,
     [](Attestation& a) { a.requester.init_data.algorithm = "sha384"; }},
    {"policy.init-data-admitted", ReasonCode::kInitDataMismatch,
     [](Attestation& a) { a.requester.admitted_init_data = crypto::Sha256(AsBytes("another pod's")); }},
    {"policy.init-data-entries", ReasonCode::kSubjectNotAllowed,
     [](Attestation& a) {
       a.Admit({{"policy.rego", "package agent_policy\ndefault allow := true\n"}});
     }},
    // What the evidence says, against each group of the policy's SNP rules.
    {"snp.report-data", ReasonCode::kReportDataMismatch,
     [](Attestation& a) { a.report_data_in_report = LaunchState::Filled<snp::ReportData>(0x5B); }},
    {"snp.host-data", ReasonCode::kInitDataMismatch,
     [](Attestation& a) { a.state.host_data = LaunchState::Filled<snp::HostData>(1); }},
    {"snp.measurement-allowed", ReasonCode::kMeasurementNotAllowed,
     [](Attestation& a) { a.state.measurement = LaunchState::Filled<snp::Measurement>(9); }},
    {"snp.version-allowed", ReasonCode::kEvidenceVersionUnsupported,
     [](Attestation& a) { Snp(a).Set("minReportVersion", 5); }},
    {"snp.vmpl-allowed", ReasonCode::kPrivilegeLevelNotAllowed, [](Attestation& a) { a.state.vmpl = 2; }},
    {"snp.guest-policy-must-set", ReasonCode::kGuestPolicyNotAllowed,
     [](Attestation& a) { Snp(a).Find("guestPolicy")->Set("mustSet", Texts({"SingleSocket"})); }},
    {"snp.guest-policy-must-clear", ReasonCode::kGuestPolicyNotAllowed,
     [](Attestation& a) {
       Snp(a).Find("guestPolicy")->Set("mustSet", Texts({}));
       Snp(a).Find("guestPolicy")->Set("mustClear", Texts({"SmtAllowed"}));
     }},
    {"snp.min-abi", ReasonCode::kGuestPolicyNotAllowed,
     [](Attestation& a) { Snp(a).Find("guestPolicy")->Set("minAbi", "1.55"); }},
    {"snp.platform-must-set", ReasonCode::kPlatformNotAllowed,
     [](Attestation& a) { Snp(a).Find("platform")->Set("mustSet", Texts({"CiphertextHidingDram"})); }},
    {"snp.platform-must-clear", ReasonCode::kPlatformNotAllowed,
     [](Attestation& a) { Snp(a).Find("platform")->Set("mustClear", Texts({"EccEnabled"})); }},
    {"snp.chip-allowed", ReasonCode::kChipNotAllowed,
     [](Attestation& a) { a.state.chip_id = LaunchState::Filled<snp::ChipId>(0xA6); }},
    {"snp.image-id", ReasonCode::kIdentityKeyNotAllowed,
     [](Attestation& a) { a.state.image_id = LaunchState::Filled<snp::ImageId>(1); }},
    {"snp.id-key", ReasonCode::kIdentityKeyNotAllowed,
     [](Attestation& a) { a.state.id_key_digest = LaunchState::Filled<snp::KeyDigest>(0x12); }},
    {"snp.guest-svn", ReasonCode::kIdentityKeyNotAllowed,
     [](Attestation& a) { Snp(a).Set("minGuestSvn", 1); }},
    {"snp.key-kind-allowed", ReasonCode::kChipNotAllowed,
     [](Attestation& a) { Snp(a).Set("keyKinds", Texts({"VLEK"})); }},
    {"snp.mitigations-launch", ReasonCode::kFirmwareTooOld,
     [](Attestation& a) {
       Snp(a).Find("products")->if_array()->front().Find("mitigations")->Set("launch", "0x1");
     }},
};

TEST(Appraisal, RefusesEachDefectInItsOwnRowAndOnlyThere) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.id);
    Attestation attestation;
    c.spoil(attestation);
    const Appraisal appraisal = attestation.Appraise();
    EXPECT_FALSE(appraisal.tree.allowed());
    EXPECT_EQ(FailedIds(appraisal), std::vector<std::string>{c.id});
    EXPECT_EQ(appraisal.tree.reasons(), std::vector<ReasonCode>{c.reason});
  }
}

TEST(Appraisal, HasACaseForEachRowOfTheRequest) {
  for (const evidence::Finding& row : RequestCheckRows()) {
    const auto found = std::ranges::find(kCases, std::string_view(row.check_id),
                                         [](const Case& c) { return std::string_view(c.id); });
    ASSERT_NE(found, std::end(kCases)) << row.check_id;
    EXPECT_EQ(found->reason, row.reason);
  }
}

TEST(Appraisal, RefusesATcbBelowItsFloor) {
  Attestation attestation;
  attestation.state.SetTcb({.bootloader = 4, .tee = 0, .snp = 0x17, .microcode = 0xDB});
  EXPECT_EQ(FailedIds(attestation.Appraise()),
            (std::vector<std::string>{"snp.tcb-floor-reported", "snp.tcb-floor-committed",
                                      "snp.tcb-floor-launch"}));
}

TEST(Appraisal, RefusesDebugWhateverThePolicySays) {
  Attestation attestation;
  Snp(attestation).Find("guestPolicy")->Set("mustClear", Texts({"MigrateMa"}));
  attestation.state.policy |= 1u << 19;
  EXPECT_EQ(FailedIds(attestation.Appraise()), std::vector<std::string>{"snp.debug-off"});
}

TEST(Appraisal, RefusesASubjectOfAnotherNamespaceByTheSameName) {
  Attestation attestation;
  attestation.requester.namespace_name = "team-c";
  EXPECT_EQ(FailedIds(attestation.Appraise()), std::vector<std::string>{"policy.subject-allowed"});
}

struct Entries {
  const char* name;
  std::map<std::string, std::string> data;
  const char* told;
};

TEST(Appraisal, NamesTheInitDataEntryThatIsNotAsPinned) {
  const std::string good = "package agent_policy\n";
  for (const Entries& c :
       {Entries{"unpinned", {{"policy.rego", good}, {"aa.toml", "x"}}, "\"aa.toml\" is not pinned"},
        Entries{"missing", {{"portcullis.json", "{}"}}, "\"policy.rego\" is missing"},
        Entries{"changed", {{"policy.rego", good + " "}}, "\"policy.rego\" has sha256:"}}) {
    SCOPED_TRACE(c.name);
    Attestation attestation;
    attestation.Admit(c.data);
    const Appraisal appraisal = attestation.Appraise();
    ASSERT_EQ(FailedIds(appraisal), std::vector<std::string>{"policy.init-data-entries"});
    EXPECT_NE(appraisal.tree.findings.back().actual.find(c.told), std::string::npos)
        << appraisal.tree.findings.back().actual;
  }
}

TEST(Appraisal, NamesAFewOfManyInitDataEntries) {
  std::map<std::string, std::string> data;
  for (char name = 'a'; name <= 't'; ++name) data.emplace(std::string(1, name), "x");
  data["policy.rego"] = "package agent_policy\n";
  Attestation attestation;
  attestation.Admit(data);
  const Appraisal appraisal = attestation.Appraise();
  ASSERT_EQ(FailedIds(appraisal), std::vector<std::string>{"policy.init-data-entries"});
  const std::string& actual = appraisal.tree.findings.back().actual;
  EXPECT_TRUE(actual.ends_with("\"p\" is not pinned and 4 more")) << actual;
}

TEST(Appraisal, ListsEverythingThatIsWrong) {
  Attestation attestation;
  attestation.requester.key_name = "mistral";
  attestation.state.vmpl = 1;
  attestation.state.measurement = LaunchState::Filled<snp::Measurement>(9);
  EXPECT_EQ(FailedIds(attestation.Appraise()),
            (std::vector<std::string>{"snp.vmpl-allowed", "snp.measurement-allowed", "policy.key-allowed"}));
}

TEST(Appraisal, OfEvidenceUnderAnotherRootIsDenied) {
  const Attestation attestation;
  const lab::MintedEvidence minted = LabPki::Shared().Mint(attestation.state, attestation.report_data);
  const auto policy = ParsePolicy(attestation.document);
  const Appraisal appraisal = policy::Appraise(
      *policy, attestation.requester, SnpEvidence{minted.report, {minted.leaf}},
      attestation.report_data.bytes(),
      {snp::AmdTrustAnchors(), snp::GivenEndorsements({}), tdx::IntelTrustAnchors(), test::NoCollateral()},
      test::FakeClock().Now());
  EXPECT_FALSE(appraisal.tree.allowed());
  EXPECT_EQ(FailedIds(appraisal).front(), "snp.chain-trusted");
}

TEST(Appraisal, OfBytesThatAreNoReportIsDenied) {
  const Attestation attestation;
  const auto policy = ParsePolicy(attestation.document);
  const Appraisal appraisal = policy::Appraise(
      *policy, attestation.requester, SnpEvidence{ByteBuffer(1183), {}}, attestation.report_data.bytes(),
      {snp::AmdTrustAnchors(), snp::GivenEndorsements({}), tdx::IntelTrustAnchors(), test::NoCollateral()},
      test::FakeClock().Now());
  EXPECT_FALSE(appraisal.tree.allowed());
  EXPECT_EQ(appraisal.tree.reasons().front(), ReasonCode::kEvidenceMalformed);
}

}  // namespace
}  // namespace portcullis::policy

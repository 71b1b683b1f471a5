#include "evidence/snp/checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "evidence/snp/given_endorsements.h"
#include "tests/support/evidence_builder.h"

namespace portcullis::snp {
namespace {

using lab::LaunchState;
using test::EvidenceBuilder;
using testing::ElementsAreArray;

/// The smallest change to good evidence that this row refuses. `also` are rows that refuse with it, since one
/// implies the other (REPORTED <= COMMITTED).
struct Case {
  std::string_view id;
  void (*spoil)(EvidenceBuilder&);
  std::vector<std::string> also = {};
};

/// The current list of Milan's root, with its ASK on it.
const EndorsementSource& ListWithTheAsk() {
  const lab::LabPki& pki = lab::LabPki::Shared();
  static const GivenEndorsements source(
      {pki.CrlOf(Product::kMilan, {pki.anchors().For(Product::kMilan)->ask.serial()},
                 test::kEvidenceTime - std::chrono::hours(1), test::kEvidenceTime + std::chrono::hours(1))});
  return source;
}

const Case kRevocationCases[] = {
    {"snp.crl-current", [](auto& e) { e.endorsements = nullptr; }},
    {"snp.not-revoked", [](auto& e) { e.endorsements = &ListWithTheAsk(); }},
};

const Case kBaselineCases[] = {
    {"snp.debug-off", [](auto& e) { e.state.policy = 0xB0000; }},
    {"snp.vmpl-is-guest",
     [](auto& e) {
       e.state.vmpl = 0xFFFFFFFF;  // asked for by the host
       e.reference.vmpls.insert(0xFFFFFFFF);
     }},
    {"snp.guest-policy-reserved", [](auto& e) { e.state.policy = 0x10000; }},
    {"snp.smt-consistent", [](auto& e) { e.state.policy = 0x20000; }},
    {"snp.tcb-order", [](auto& e) { e.state.reported_tcb.microcode = 0xDC; }},
    {"snp.firmware-order",
     [](auto& e) {
       e.state.committed_firmware.build = 30;
       e.reference.provisional_firmware_allowed = true;
     }},
    {"snp.author-key-consistent",
     [](auto& e) { e.state.author_key_digest = LaunchState::Filled<KeyDigest>(1); }},
};

const Case kPolicyCases[] = {
    {"snp.version-allowed", [](auto& e) { e.reference.min_version = 4; }},
    {"snp.key-kind-allowed",
     [](auto& e) {
       e.state.key_kind = KeyKind::kVlek;
       e.reference.key_kinds.erase(KeyKind::kVlek);
     }},
    {"snp.product-allowed", [](auto& e) { e.state.cpuid.stepping = 2; }},
    {"snp.tcb-floor-reported", [](auto& e) { e.state.reported_tcb.snp = 0x17; }},
    {"snp.tcb-floor-committed",
     [](auto& e) { e.state.reported_tcb.snp = e.state.committed_tcb.snp = e.state.current_tcb.snp = 0x17; },
     {"snp.tcb-floor-reported"}},
    {"snp.tcb-floor-launch", [](auto& e) { e.state.launch_tcb.microcode = 0xDA; }},
    {"snp.firmware-floor-current",
     [](auto& e) { e.state.current_firmware.build = e.state.committed_firmware.build = 28; },
     {"snp.firmware-floor-committed"}},
    {"snp.firmware-floor-committed",
     [](auto& e) {
       e.state.committed_firmware.build = 28;
       e.reference.provisional_firmware_allowed = true;
     }},
    {"snp.provisional-firmware", [](auto& e) { e.state.current_tcb.microcode = 0xDC; }},
    {"snp.mitigations-launch", [](auto& e) { e.reference.products[0].launch_mitigations = 1; }},
    {"snp.mitigations-current", [](auto& e) { e.reference.products[0].current_mitigations = 1; }},
    {"snp.platform-must-set", [](auto& e) { e.state.platform_info = 0x05; }},  // alias check missing: BadRAM
    {"snp.platform-must-clear", [](auto& e) { e.reference.platform_must_clear = 1; }},
    {"snp.chip-allowed", [](auto& e) { e.state.chip_id = LaunchState::Filled<ChipId>(0xA6); }},
    {"snp.chip-not-denied", [](auto& e) { e.reference.denied_chips.insert(e.state.chip_id); }},
    {"snp.masked-chip-id", [](auto& e) { e.state.chip_id_masked = true; }},
    {"snp.csp-allowed",
     [](auto& e) {
       e.state.key_kind = KeyKind::kVlek;
       e.state.csp_id = "CN=another.example";
     }},
    {"snp.vmpl-allowed", [](auto& e) { e.state.vmpl = 1; }},
    {"snp.guest-policy-must-set", [](auto& e) { e.reference.guest_policy_must_set = 1u << 20; }},
    {"snp.guest-policy-must-clear", [](auto& e) { e.reference.guest_policy_must_clear = 1u << 16; }},
    {"snp.min-abi",
     [](auto& e) {
       e.state.policy = 0x3001E;
       e.reference.min_abi_minor = 0x1F;
     }},
    {"snp.migration-allowed",
     [](auto& e) {
       e.state.policy = 0x70000;
       e.state.report_id_ma = LaunchState::Filled<ReportId>(0x3A);
     }},
    {"snp.measurement-allowed", [](auto& e) { e.state.measurement = LaunchState::Filled<Measurement>(1); }},
    {"snp.host-data", [](auto& e) { e.state.host_data = LaunchState::Filled<HostData>(1); }},
    {"snp.family-id",
     [](auto& e) {
       e.reference.family_id = {DigestRule<FamilyId>::Mode::kListed, {LaunchState::Filled<FamilyId>(1)}};
     }},
    {"snp.image-id",
     [](auto& e) {
       e.state.image_id = LaunchState::Filled<ImageId>(1);
       e.reference.image_id.mode = DigestRule<ImageId>::Mode::kAbsent;
     }},
    {"snp.guest-svn", [](auto& e) { e.reference.min_guest_svn = 1; }},
    {"snp.id-key",
     [](auto& e) {
       e.state.id_key_digest = LaunchState::Filled<KeyDigest>(1);
       e.reference.id_key.mode = DigestRule<KeyDigest>::Mode::kAbsent;
     }},
    {"snp.author-key",
     [](auto& e) {
       e.state.author_key_enabled = true;
       e.state.author_key_digest = LaunchState::Filled<KeyDigest>(1);
       e.reference.author_key = {DigestRule<KeyDigest>::Mode::kListed, {LaunchState::Filled<KeyDigest>(2)}};
     }},
    {"snp.report-data", [](auto& e) { e.report_data = LaunchState::Filled<ReportData>(1); }},
};

template <typename Rows>
std::vector<std::string_view> IdsOf(const Rows& rows) {
  std::vector<std::string_view> out;
  for (const auto& row : rows) out.push_back(row.id);
  return out;
}

void ExpectOnlyItsOwnRefusal(const Case& c) {
  SCOPED_TRACE(c.id);
  EvidenceBuilder evidence;
  c.spoil(evidence);
  std::vector<std::string> expected{std::string(c.id)};
  expected.insert(expected.end(), c.also.begin(), c.also.end());
  const Verification verification = evidence.Verify();
  EXPECT_THAT(test::Refusals(verification.tree), testing::UnorderedElementsAreArray(expected));
  EXPECT_FALSE(verification.tree.allowed());
}

TEST(SnpChecks, AllowGoodEvidenceOfEveryProductAndKey) {
  for (LaunchState state : {LaunchState::Milan(), LaunchState::Genoa(), LaunchState::Turin()})
    for (const KeyKind kind : {KeyKind::kVcek, KeyKind::kVlek}) {
      state.key_kind = kind;
      const Verification verification = EvidenceBuilder(state).Verify();
      EXPECT_TRUE(verification.tree.allowed()) << codec::ToPrettyText(verification.tree.ToJson());
    }
}

TEST(SnpChecks, EachRefusesItsOwnDefectAndOnlyThat) {
  for (const Case& c : kRevocationCases) ExpectOnlyItsOwnRefusal(c);
  for (const Case& c : kBaselineCases) ExpectOnlyItsOwnRefusal(c);
  for (const Case& c : kPolicyCases) ExpectOnlyItsOwnRefusal(c);
}

TEST(SnpChecks, HaveACaseEach) {
  EXPECT_THAT(IdsOf(kRevocationCases), ElementsAreArray(IdsOf(RevocationChecks())));
  EXPECT_THAT(IdsOf(kBaselineCases), ElementsAreArray(IdsOf(BaselineChecks())));
  EXPECT_THAT(IdsOf(kPolicyCases), ElementsAreArray(IdsOf(PolicyChecks())));
}

TEST(SnpChecks, NameThePlaceInTheReportAndBothSides) {
  EvidenceBuilder evidence;
  evidence.state.vmpl = 1;
  const Verification verification = evidence.Verify();
  for (const evidence::Finding& finding : verification.tree.findings) {
    EXPECT_FALSE(finding.expected.empty()) << finding.check_id;
    EXPECT_FALSE(finding.actual.empty()) << finding.check_id;
    EXPECT_FALSE(finding.source.empty()) << finding.check_id;
    if (finding.check_id == "snp.vmpl-allowed") {
      EXPECT_EQ(finding.expected, "0");
      EXPECT_EQ(finding.actual, "1 (report@0x030)");
    }
  }
}

TEST(SnpChecks, ListEveryDefectAtOnce) {
  EvidenceBuilder evidence;
  evidence.state.policy = 0xB0000;
  evidence.state.vmpl = 3;
  evidence.state.measurement = LaunchState::Filled<Measurement>(9);
  EXPECT_THAT(test::Refusals(evidence.Verify().tree),
              testing::ElementsAre("snp.debug-off", "snp.vmpl-allowed", "snp.measurement-allowed"));
}

TEST(SnpChecks, RefuseDebugWhateverThePolicySays) {
  EvidenceBuilder evidence;
  evidence.state.policy = 0xB0000;
  evidence.reference.guest_policy_must_set = 0x80000;  // not even where it is demanded
  EXPECT_THAT(test::Refusals(evidence.Verify().tree), testing::ElementsAre("snp.debug-off"));
}

TEST(SnpChecks, LeaveFloorsOpenWhereTheProcessorHasNone) {
  EvidenceBuilder evidence;
  evidence.state.cpuid.stepping = 2;
  std::size_t open = 0;
  for (const evidence::Finding& finding : evidence.Verify().tree.findings)
    if (finding.outcome == evidence::Outcome::kNotEvaluated) {
      ++open;
      EXPECT_TRUE(finding.check_id.find("floor") != std::string::npos ||
                  finding.check_id.find("mitigations") != std::string::npos)
          << finding.check_id;
    }
  EXPECT_EQ(open, 7u);
}

TEST(SnpChecks, CompareTheTcbComponentByComponent) {
  EvidenceBuilder evidence;
  // As one number this is far above the floor: the bootloader's byte is not.
  evidence.state.SetTcb({.bootloader = 3, .tee = 0, .snp = 0xFF, .microcode = 0xFF});
  EXPECT_THAT(
      test::Refusals(evidence.Verify().tree),
      testing::ElementsAre("snp.tcb-floor-reported", "snp.tcb-floor-committed", "snp.tcb-floor-launch"));
}

TEST(SnpChecks, HoldAMaskedChipToItsCertificate) {
  EvidenceBuilder evidence;
  evidence.state.chip_id_masked = true;
  evidence.reference.masked_chip_id_allowed = true;
  EXPECT_TRUE(evidence.Verify().tree.allowed());
  evidence.reference.allowed_chips = {LaunchState::Filled<ChipId>(1)};
  EXPECT_THAT(test::Refusals(evidence.Verify().tree), testing::ElementsAre("snp.chip-allowed"));
  evidence.reference.any_genuine_chip = true;
  EXPECT_TRUE(evidence.Verify().tree.allowed());
  evidence.reference.denied_chips = {evidence.state.chip_id};
  EXPECT_THAT(test::Refusals(evidence.Verify().tree), testing::ElementsAre("snp.chip-not-denied"));
}

TEST(SnpChecks, AllowAMigrationAgentOnlyByName) {
  EvidenceBuilder evidence;
  evidence.state.policy = 0x70000;
  evidence.state.report_id_ma = LaunchState::Filled<ReportId>(0x3A);
  evidence.reference.migration_agents = {evidence.state.report_id_ma};
  EXPECT_TRUE(evidence.Verify().tree.allowed());
  evidence.reference.migration_agents = {LaunchState::Filled<ReportId>(0x3B)};
  EXPECT_FALSE(evidence.Verify().tree.allowed());
}

TEST(SnpChecks, RefuseAMigrationAgentThatIsNotThere) {
  EvidenceBuilder evidence;
  evidence.state.policy = 0x70000;  // bound later, to anything
  evidence.reference.migration_agents = {evidence.state.report_id_ma};
  EXPECT_THAT(test::Refusals(evidence.Verify().tree), testing::ElementsAre("snp.migration-allowed"));
}

TEST(SnpChecks, RefuseAMigrationAgentThatWasNotAskedFor) {
  EvidenceBuilder evidence;
  evidence.state.report_id_ma = LaunchState::Filled<ReportId>(0x3A);
  evidence.reference.migration_agents = {evidence.state.report_id_ma};
  EXPECT_THAT(test::Refusals(evidence.Verify().tree), testing::ElementsAre("snp.migration-allowed"));
}

TEST(SnpChecks, HoldHostDataToTheInitDataDigest) {
  EvidenceBuilder evidence;
  evidence.state.host_data = LaunchState::Filled<HostData>(7);
  evidence.binding.host_data = evidence.state.host_data;
  EXPECT_TRUE(evidence.Verify().tree.allowed());
  evidence.binding.host_data = LaunchState::Filled<HostData>(8);
  EXPECT_THAT(test::Refusals(evidence.Verify().tree), testing::ElementsAre("snp.host-data"));
}

TEST(SnpChecks, CompareTheAbiByMajorFirst) {
  EvidenceBuilder evidence;
  evidence.state.policy = 0x30100;  // 1.0
  evidence.reference.min_abi_minor = 0x1F;
  EXPECT_TRUE(evidence.Verify().tree.allowed());
}

TEST(SnpChecks, MitigationsPassOnlyWithEveryBit) {
  EvidenceBuilder evidence;
  evidence.state.version = 5;
  evidence.state.launch_mitigations = evidence.state.current_mitigations = 0b101;
  evidence.reference.products[0].launch_mitigations = 0b101;
  evidence.reference.products[0].current_mitigations = 0b001;
  EXPECT_TRUE(evidence.Verify().tree.allowed());
  evidence.reference.products[0].current_mitigations = 0b010;
  EXPECT_THAT(test::Refusals(evidence.Verify().tree), testing::ElementsAre("snp.mitigations-current"));
}

TEST(SnpChecks, EmptyListsAllowNothing) {
  EvidenceBuilder evidence;
  evidence.reference.measurements.clear();
  evidence.reference.products.clear();
  evidence.reference.vmpls.clear();
  evidence.reference.key_kinds.clear();
  evidence.reference.allowed_chips.clear();
  EXPECT_THAT(test::Refusals(evidence.Verify().tree),
              testing::ElementsAre("snp.key-kind-allowed", "snp.product-allowed", "snp.chip-allowed",
                                   "snp.vmpl-allowed", "snp.measurement-allowed"));
}

TEST(VerifySnp, LeavesLaterRowsOpenWhereTheReportIsNotAuthentic) {
  EvidenceBuilder evidence;
  evidence.WithAlteredByte(0x090, 1);
  evidence.reference.measurements.clear();
  const Verification verification = evidence.Verify();
  EXPECT_THAT(test::Refusals(verification.tree), testing::ElementsAre("snp.signature-valid"));
  EXPECT_EQ(verification.tree.findings.size(), CheckRows().size());
  EXPECT_EQ(verification.tree.findings.back().outcome, evidence::Outcome::kNotEvaluated);
  EXPECT_TRUE(verification.not_proven.empty());
}

TEST(VerifySnp, HasTheSameRowsInTheSameOrderWhateverTheEvidence) {
  const auto ids = [](const std::vector<evidence::Finding>& findings) {
    std::vector<std::string> out;
    for (const evidence::Finding& finding : findings) out.emplace_back(finding.check_id);
    return out;
  };
  const auto rows = ids(CheckRows());
  EvidenceBuilder spoilt;
  spoilt.WithAlteredByte(0x000, 0xFF);
  EXPECT_EQ(ids(spoilt.Verify().tree.findings), rows);
  EXPECT_EQ(ids(EvidenceBuilder().WithoutCertificates().Verify().tree.findings), rows);
  EXPECT_EQ(ids(EvidenceBuilder().Verify().tree.findings), rows);
}

TEST(VerifySnp, RunsTheBaselineAloneWithoutAPolicy) {
  const EvidenceBuilder evidence;
  const lab::LabLeaf leaf = evidence.Leaf();
  const auto verify = [&](const ReferenceValues* reference, const Binding* binding) {
    return VerifySnp(evidence.Report(leaf), {&leaf.certificate, 1}, nullptr, lab::LabPki::Shared().anchors(),
                     evidence.now, reference, binding);
  };
  const Verification baseline = verify(nullptr, nullptr);
  EXPECT_TRUE(baseline.tree.allowed());
  EXPECT_EQ(baseline.tree.findings.size(),
            CheckRows().size() - PolicyChecks().size() - RevocationChecks().size());
  // With a policy but nothing to bind to there is no attestation to allow.
  EXPECT_FALSE(verify(&evidence.reference, nullptr).tree.allowed());
}

TEST(VerifySnp, NamesTheReasonThatTheReportWasRefusedFor) {
  const auto reasons = [](const EvidenceBuilder& e) { return e.Verify().tree.reasons(); };
  EXPECT_EQ(reasons(EvidenceBuilder().WithSignedByte(0x000, 2)),
            std::vector{ReasonCode::kEvidenceVersionUnsupported});
  EXPECT_EQ(reasons(EvidenceBuilder().WithSignedByte(0x188, 0x17)),
            std::vector{ReasonCode::kProductNotAllowed});
  EXPECT_EQ(reasons(EvidenceBuilder().WithSignedByte(0x208, 1)), std::vector{ReasonCode::kEvidenceMalformed});
}

TEST(VerifySnp, SaysWhatIsNotProven) {
  EvidenceBuilder evidence;
  EXPECT_THAT(evidence.Verify().not_proven,
              testing::Contains("The evidence does not say what the workload does with the key."));
  const std::size_t with_vcek = evidence.Verify().not_proven.size();
  evidence.state.key_kind = KeyKind::kVlek;
  EXPECT_EQ(evidence.Verify().not_proven.size(), with_vcek + 1);
}

TEST(VerifySnp, ClaimsWhatTheReportSays) {
  EvidenceBuilder evidence;
  const codec::Json claims = evidence.Verify().claims;
  EXPECT_EQ(*claims.Find("authentic"), codec::Json(true));
  EXPECT_EQ(claims.TextAt({"product"}), "Milan");
  EXPECT_EQ(claims.TextAt({"signingKey"}), "VCEK");
  EXPECT_EQ(claims.TextAt({"currentFirmware"}), "1.55.29");
  EXPECT_EQ(claims.TextAt({"guestPolicy", "bits"}), "0x30000");
  EXPECT_EQ(*claims.At({"reportedTcb", "microcode"}), codec::Json(0xDB));
  EXPECT_EQ(claims.Find("reportedTcb")->Find("fmc"), nullptr);
  EXPECT_TRUE(claims.TextAt({"measurement"}).starts_with("000102"));

  evidence.WithAlteredByte(0x050, 1);
  EXPECT_EQ(*evidence.Verify().claims.Find("authentic"), codec::Json(false));
}

}  // namespace
}  // namespace portcullis::snp

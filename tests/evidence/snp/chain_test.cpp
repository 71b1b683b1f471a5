#include "evidence/snp/chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "evidence/snp/proven_leaves.h"
#include "tests/support/evidence_builder.h"

namespace portcullis::snp {
namespace {

using lab::LabPki;
using lab::LaunchState;
using lab::LeafSpec;
using test::EvidenceBuilder;
using testing::ElementsAre;

constexpr WallTime Day(int y, unsigned m, unsigned d) {
  return std::chrono::sys_days(std::chrono::year(y) / static_cast<int>(m) / static_cast<int>(d));
}

/// The smallest change to good evidence that this row, and no other, refuses.
struct Case {
  std::string_view id;
  void (*spoil)(EvidenceBuilder&);
};

const Case kCases[] = {
    {"snp.signature-algorithm", [](auto& e) { e.WithSignedByte(0x034, 2); }},
    {"snp.signing-key", [](auto& e) { e.WithSignedByte(0x048, 7 << 2); }},
    {"snp.certificate-present", [](auto& e) { e.WithoutCertificates(); }},
    {"snp.certificate-profile",
     [](auto& e) {
       e.WithLeaf([](LeafSpec& s) { s.further.push_back({"1.2.3.4", {std::byte{5}, std::byte{0}}, true}); });
     }},
    {"snp.certificate-extensions",
     [](auto& e) { e.WithLeaf([](LeafSpec& s) { s.without.insert("1.3.6.1.4.1.3704.1.3.8"); }); }},
    {"snp.chain-trusted", [](auto& e) { e.WithLeaf([](LeafSpec& s) { s.issuer = lab::Issuer::kAsvk; }); }},
    {"snp.certificate-valid", [](auto& e) { e.now = Day(2032, 1, 2); }},
    {"snp.certificate-matches-kind",
     [](auto& e) { e.WithLeaf([](LeafSpec& s) { s.csp_id = "CN=a.example"; }); }},
    {"snp.certificate-matches-product",
     [](auto& e) { e.WithLeaf([](LeafSpec& s) { s.product_name = "Genoa"; }); }},
    {"snp.certificate-matches-tcb", [](auto& e) { e.WithLeaf([](LeafSpec& s) { s.tcb.snp = 0x17; }); }},
    {"snp.certificate-matches-chip",
     [](auto& e) { e.WithLeaf([](LeafSpec& s) { s.hwid->front() = std::byte{0}; }); }},
    {"snp.signature-valid", [](auto& e) { e.WithAlteredByte(0x050, 1); }},
};

TEST(SnpChainChecks, EachRefusesItsOwnDefectAndOnlyThat) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.id);
    EvidenceBuilder evidence;
    c.spoil(evidence);
    const Verification verification = evidence.Verify();
    EXPECT_THAT(test::Refusals(verification.tree), ElementsAre(std::string(c.id)));
    EXPECT_FALSE(verification.tree.allowed());
  }
}

TEST(SnpChainChecks, HaveACaseEach) {
  std::vector<std::string> cases, rows;
  for (const Case& c : kCases) cases.emplace_back(c.id);
  for (const evidence::Finding& row : ChainCheckRows()) rows.emplace_back(row.check_id);
  EXPECT_EQ(cases, rows);
}

TEST(Authenticate, RefusesEverythingUnderOtherRootsOfTheSameNames) {
  for (const LaunchState& state : {LaunchState::Milan(), LaunchState::Genoa(), LaunchState::Turin()})
    EXPECT_THAT(test::Refusals(EvidenceBuilder(state).Verify(AmdTrustAnchors()).tree),
                ElementsAre("snp.chain-trusted"));
}

TEST(Authenticate, RefusesAProductWithoutAnchors) {
  EXPECT_THAT(test::Refusals(EvidenceBuilder().Verify(TrustAnchors{}).tree),
              ElementsAre("snp.chain-trusted", "snp.certificate-valid"));
}

TEST(Authenticate, RefusesALeafOfAnotherProductUnderTheSameKeys) {
  EvidenceBuilder evidence;
  evidence.WithLeaf([](LeafSpec& s) { s.product = Product::kGenoa; });
  EXPECT_THAT(test::Refusals(evidence.Verify().tree), ElementsAre("snp.chain-trusted"));
}

TEST(Authenticate, RefusesALeafDirectlyUnderTheRoot) {
  EvidenceBuilder evidence;
  evidence.WithLeaf([](LeafSpec& s) { s.issuer = lab::Issuer::kArk; });
  EXPECT_THAT(test::Refusals(evidence.Verify().tree), ElementsAre("snp.chain-trusted"));
}

TEST(Authenticate, RefusesAVlekThatTheAskIssued) {
  EvidenceBuilder evidence;
  evidence.state.key_kind = KeyKind::kVlek;
  EXPECT_TRUE(evidence.Verify().tree.allowed());
  evidence.WithLeaf([](LeafSpec& s) { s.issuer = lab::Issuer::kAsk; });
  EXPECT_THAT(test::Refusals(evidence.Verify().tree), ElementsAre("snp.chain-trusted"));
}

TEST(Authenticate, RefusesAVcekWhereTheReportNamesAVlek) {
  EvidenceBuilder evidence;
  evidence.WithSignedByte(0x048, 1 << 2);
  EXPECT_THAT(test::Refusals(evidence.Verify().tree), ElementsAre("snp.certificate-present"));
}

TEST(Authenticate, RefusesAVcekRenamedToAVlek) {
  EvidenceBuilder evidence;
  evidence.WithSignedByte(0x048, 1 << 2);
  evidence.WithLeaf([](LeafSpec& s) {
    s.common_name = "SEV-VLEK";
    s.issuer = lab::Issuer::kAsvk;
  });
  EXPECT_THAT(test::Refusals(evidence.Verify().tree), ElementsAre("snp.certificate-matches-kind"));
}

TEST(Authenticate, RefusesACertificateWithoutItsIdentity) {
  EvidenceBuilder vcek;
  vcek.WithLeaf([](LeafSpec& s) { s.hwid.reset(); });
  EXPECT_THAT(test::Refusals(vcek.Verify().tree),
              ElementsAre("snp.certificate-matches-kind", "snp.certificate-matches-chip"));
  EvidenceBuilder vlek;
  vlek.state.key_kind = KeyKind::kVlek;
  vlek.WithLeaf([](LeafSpec& s) { s.csp_id.reset(); });
  EXPECT_THAT(test::Refusals(vlek.Verify().tree), ElementsAre("snp.certificate-matches-kind"));
}

TEST(Authenticate, TakesAHardwareIdInAnOctetString) {
  EvidenceBuilder evidence;
  evidence.WithLeaf([](LeafSpec& s) { s.hwid_in_octet_string = true; });
  EXPECT_TRUE(evidence.Verify().tree.allowed());
}

TEST(Authenticate, HoldsEveryComponentOfTheTcbToTheCertificate) {
  EvidenceBuilder evidence(LaunchState::Turin());
  std::uint8_t Tcb::*const kComponents[] = {&Tcb::fmc, &Tcb::bootloader, &Tcb::tee, &Tcb::snp,
                                            &Tcb::microcode};
  for (const auto component : kComponents)
    for (const int step : {1, -1}) {  // a higher level in the certificate is another key just as well
      evidence.WithLeaf(
          [&](LeafSpec& s) { s.tcb.*component = static_cast<std::uint8_t>(s.tcb.*component + step); });
      EXPECT_THAT(test::Refusals(evidence.Verify().tree), ElementsAre("snp.certificate-matches-tcb"));
    }
}

TEST(Authenticate, HoldsTheWholeChipIdOfATurinToTheCertificate) {
  EvidenceBuilder evidence(LaunchState::Turin());
  EXPECT_TRUE(evidence.Verify().tree.allowed());
  evidence.WithSignedByte(0x1A8, 1);  // past the eight bytes that the certificate names
  EXPECT_THAT(test::Refusals(evidence.Verify().tree), testing::Contains("snp.certificate-matches-chip"));
}

TEST(Authenticate, RefusesAHardwareIdOfTheOtherSize) {
  EvidenceBuilder milan;
  milan.WithLeaf([](LeafSpec& s) { s.hwid->resize(8); });
  EXPECT_THAT(test::Refusals(milan.Verify().tree), ElementsAre("snp.certificate-matches-chip"));
}

TEST(Authenticate, RefusesAStructureVersionOfAnotherProduct) {
  EvidenceBuilder milan;
  milan.WithLeaf([](LeafSpec& s) { s.struct_version = 1; });
  EXPECT_THAT(test::Refusals(milan.Verify().tree), ElementsAre("snp.certificate-matches-product"));
  EvidenceBuilder turin(LaunchState::Turin());
  turin.WithLeaf([](LeafSpec& s) { s.struct_version = 0; });
  EXPECT_THAT(test::Refusals(turin.Verify().tree), ElementsAre("snp.certificate-matches-product"));
}

TEST(Authenticate, RefusesOtherSignatureSchemesInTheChain) {
  EvidenceBuilder short_salt;
  short_salt.WithLeaf([](LeafSpec& s) { s.pss.salt = 32; });
  EXPECT_THAT(test::Refusals(short_salt.Verify().tree), ElementsAre("snp.chain-trusted"));
  EvidenceBuilder other_digest;
  other_digest.WithLeaf([](LeafSpec& s) { s.pss.digest = "SHA256"; });
  EXPECT_THAT(test::Refusals(other_digest.Verify().tree), ElementsAre("snp.chain-trusted"));
  EvidenceBuilder other_mask;
  other_mask.WithLeaf([](LeafSpec& s) { s.pss.mask_digest = "SHA256"; });
  EXPECT_THAT(test::Refusals(other_mask.Verify().tree), ElementsAre("snp.chain-trusted"));
}

TEST(Authenticate, RefusesALeafKeyOnAnotherCurve) {
  EvidenceBuilder evidence;
  evidence.WithLeaf([](LeafSpec& s) { s.p384 = false; });
  EXPECT_THAT(test::Refusals(evidence.Verify().tree),
              ElementsAre("snp.certificate-profile", "snp.signature-valid"));
}

TEST(Authenticate, RefusesALeafThatIsACertificateAuthority) {
  EvidenceBuilder evidence;
  const ByteBuffer ca_true{std::byte{0x30}, std::byte{3}, std::byte{1}, std::byte{1}, std::byte{0xFF}};
  evidence.WithLeaf([&](LeafSpec& s) { s.further.push_back({"2.5.29.19", ca_true, true}); });
  EXPECT_THAT(test::Refusals(evidence.Verify().tree), ElementsAre("snp.certificate-profile"));
}

TEST(Authenticate, RefusesAMaskedChipKey) {
  EvidenceBuilder evidence;
  evidence.WithSignedByte(0x048, 2);
  EXPECT_THAT(test::Refusals(evidence.Verify().tree), ElementsAre("snp.signing-key"));
}

TEST(Authenticate, RefusesReservedSigningKeys) {
  for (std::uint8_t key = 2; key < 8; ++key)
    EXPECT_THAT(
        test::Refusals(
            EvidenceBuilder().WithSignedByte(0x048, static_cast<std::uint8_t>(key << 2)).Verify().tree),
        ElementsAre("snp.signing-key"));
}

TEST(Authenticate, LooksAtValidityForEveryReport) {
  EvidenceBuilder evidence;
  EXPECT_TRUE(evidence.Verify().tree.allowed());  // and now the leaf is remembered
  const auto refusals_at = [&evidence](WallTime now) {
    const lab::LabLists lists(LabPki::Shared(), now);
    evidence.now = now;
    evidence.endorsements = &lists;
    return test::Refusals(evidence.Verify().tree);
  };
  EXPECT_THAT(refusals_at(Day(2024, 12, 31)), ElementsAre("snp.certificate-valid"));
  EXPECT_THAT(refusals_at(Day(2025, 1, 1)), testing::IsEmpty());
  EXPECT_THAT(refusals_at(Day(2032, 1, 1)), testing::IsEmpty());
  EXPECT_THAT(refusals_at(Day(2032, 1, 1) + std::chrono::seconds(1)), ElementsAre("snp.certificate-valid"));
}

TEST(Authenticate, RefusesAnExpiredRootUnderALeafThatOutlivesIt) {
  EvidenceBuilder evidence;
  evidence.WithLeaf([](LeafSpec& s) { s.not_after = Day(2049, 1, 1); });
  evidence.now = Day(2048, 1, 2);
  EXPECT_THAT(test::Refusals(evidence.Verify().tree), ElementsAre("snp.certificate-valid"));
}

TEST(Authenticate, DoesNotCarryAProofToOtherAnchors) {
  const EvidenceBuilder evidence;
  EXPECT_TRUE(evidence.Verify().tree.allowed());
  EXPECT_FALSE(evidence.Verify(AmdTrustAnchors()).tree.allowed());
  TrustAnchors mixed = LabPki::Shared().anchors();
  mixed.products[0].ask = AmdTrustAnchors().For(Product::kMilan)->ask;
  EXPECT_FALSE(evidence.Verify(mixed).tree.allowed());
  mixed = LabPki::Shared().anchors();
  mixed.products[0].ark = AmdTrustAnchors().For(Product::kMilan)->ark;
  EXPECT_FALSE(evidence.Verify(mixed).tree.allowed());
}

TEST(Authenticate, RefusesAnIntermediateInTheRoleOfAnother) {
  EvidenceBuilder evidence;
  evidence.state.key_kind = KeyKind::kVlek;
  evidence.WithLeaf([](LeafSpec& s) { s.issuer = lab::Issuer::kAsk; });
  TrustAnchors anchors = LabPki::Shared().anchors();
  anchors.products[0].asvk = anchors.products[0].ask;  // even where its signature is by that key
  EXPECT_THAT(test::Refusals(evidence.Verify(anchors).tree), ElementsAre("snp.chain-trusted"));
}

TEST(Authenticate, FindsTheLeafThatFitsAmongMany) {
  const EvidenceBuilder evidence;
  const lab::LabLeaf leaf = evidence.Leaf();
  LaunchState older = evidence.state, other_chip = evidence.state;
  older.reported_tcb.microcode = 0xD0;
  other_chip.chip_id = LaunchState::Filled<ChipId>(0x11);
  const TrustAnchors anchors = LabPki::Shared().anchors();
  std::vector<crypto::Certificate> certificates{
      anchors.products[0].ark, anchors.products[0].ask, LabPki::Shared().LeafOf(older).certificate,
      LabPki::Shared().LeafOf(other_chip).certificate, leaf.certificate};
  for (int turn = 0; turn < 5; ++turn) {
    std::rotate(certificates.begin(), certificates.begin() + 1, certificates.end());
    const Verification verification =
        VerifySnp(evidence.Report(leaf), certificates, evidence.endorsements, anchors, evidence.now,
                  &evidence.reference, &evidence.binding);
    EXPECT_TRUE(verification.tree.allowed());
  }
}

TEST(Authenticate, RefusesBadSignatureEncodings) {
  const auto refusals = [](auto spoil) {
    EvidenceBuilder evidence;
    const lab::LabLeaf leaf = evidence.Leaf();
    ByteBuffer report = evidence.Report(leaf);
    spoil(report);
    return test::Refusals(VerifySnp(report, {&leaf.certificate, 1}, nullptr, LabPki::Shared().anchors(),
                                    evidence.now, nullptr, nullptr)
                              .tree);
  };
  const auto fill = [](ByteBuffer& report, std::size_t at, std::size_t size, std::uint8_t value) {
    std::fill_n(report.begin() + static_cast<std::ptrdiff_t>(at), size, std::byte{value});
  };
  EXPECT_THAT(refusals([](ByteBuffer&) {}), testing::IsEmpty());
  for (const std::size_t component : {0x2A0u, 0x2E8u}) {
    EXPECT_THAT(refusals([&](ByteBuffer& r) { fill(r, component, 72, 0); }),
                ElementsAre("snp.signature-valid"));
    EXPECT_THAT(refusals([&](ByteBuffer& r) { fill(r, component, 48, 0xFF); }),
                ElementsAre("snp.signature-valid"));
    EXPECT_THAT(refusals([&](ByteBuffer& r) { fill(r, component + 48, 1, 1); }),
                ElementsAre("snp.signature-valid"));
    EXPECT_THAT(refusals([&](ByteBuffer& r) { fill(r, component + 71, 1, 1); }),
                ElementsAre("snp.signature-valid"));
  }
}

TEST(Authenticate, RefusesTheSignatureOfAnotherChip) {
  EvidenceBuilder evidence;
  LaunchState other = evidence.state;
  other.chip_id = LaunchState::Filled<ChipId>(0x11);
  const ByteBuffer report = evidence.Report(LabPki::Shared().LeafOf(other));
  const crypto::Certificate certificate = evidence.Leaf().certificate;
  EXPECT_THAT(test::Refusals(VerifySnp(report, {&certificate, 1}, nullptr, LabPki::Shared().anchors(),
                                       evidence.now, nullptr, nullptr)
                                 .tree),
              ElementsAre("snp.signature-valid"));
}

ProvenLeaves::Key KeyOf(std::uint8_t value) {
  const auto digest = [](std::uint8_t b) { return LaunchState::Filled<crypto::Sha256Digest>(b); };
  return {digest(value), digest(1), digest(2), Product::kMilan};
}
std::shared_ptr<const ExaminedLeaf> SomeLeaf() {
  return std::make_shared<const ExaminedLeaf>(Examine(LabPki::Shared().LeafOf({}).certificate, KeyKind::kVcek,
                                                      LabPki::Shared().anchors().For(Product::kMilan)));
}

TEST(ProvenLeaves, ForgetsTheLeastRecentlyUsed) {
  ProvenLeaves leaves(2);
  const auto leaf = SomeLeaf();
  leaves.Remember(KeyOf(1), leaf);
  leaves.Remember(KeyOf(2), leaf);
  EXPECT_NE(leaves.Find(KeyOf(1)), nullptr);
  leaves.Remember(KeyOf(3), leaf);
  EXPECT_EQ(leaves.size(), 2u);
  EXPECT_NE(leaves.Find(KeyOf(1)), nullptr);
  EXPECT_EQ(leaves.Find(KeyOf(2)), nullptr);
  EXPECT_NE(leaves.Find(KeyOf(3)), nullptr);
}

TEST(ProvenLeaves, FindsACertificateUnderWhateverRootItProvedSound) {
  ProvenLeaves leaves(2);
  const auto leaf = SomeLeaf();
  leaves.Remember(KeyOf(5), leaf);
  EXPECT_EQ(leaves.CertificateOf(KeyOf(5).leaf)->fingerprint(), leaf->certificate.fingerprint());
  EXPECT_FALSE(leaves.CertificateOf(KeyOf(4).leaf).has_value());
  EXPECT_FALSE(leaves.CertificateOf(KeyOf(6).leaf).has_value());
}

TEST(ProvenLeaves, IsBoundedUnderManyThreads) {
  ProvenLeaves leaves(8);
  const auto leaf = SomeLeaf();
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        const auto key = KeyOf(static_cast<std::uint8_t>(i % 32));
        if (leaves.Find(key) == nullptr) leaves.Remember(key, leaf);
      }
    });
  threads.clear();
  EXPECT_EQ(leaves.size(), 8u);
}

}  // namespace
}  // namespace portcullis::snp

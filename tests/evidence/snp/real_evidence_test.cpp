#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "evidence/snp/checks.h"
#include "evidence/snp/given_endorsements.h"
#include "evidence/snp/leaf.h"
#include "tests/lab/snp_lab.h"
#include "tests/support/evidence_builder.h"
#include "tests/support/testdata.h"

// Reports of real machines, mutations of them, and reports that others made under a throw-away root: each at
// the verdict and time that stands in the test data's own README.
namespace portcullis::snp {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAreArray;

constexpr WallTime Day(int y, int m, int d) { return std::chrono::sys_days(std::chrono::year(y) / m / d); }
constexpr WallTime kToday = Day(2026, 11, 24);
constexpr WallTime kWhileTheVlekWasValid = Day(2025, 6, 1);

struct Sample {
  ByteBuffer report;
  std::vector<crypto::Certificate> certificates;
};

Sample Read(const fs::path& folder) {
  Sample out{test::ReadBytes(folder / "report.bin"), {}};
  for (const char* name : {"vcek.der", "vlek.der", "issuer_offered_ask.der"})
    if (fs::exists(folder / name))
      out.certificates.push_back(crypto::Certificate::Parse(test::ReadBytes(folder / name)).value());
  return out;
}

Verification VerifyBaseline(const Sample& sample, const TrustAnchors& anchors, WallTime now) {
  return VerifySnp(sample.report, sample.certificates, nullptr, anchors, now, nullptr, nullptr);
}

struct Verdict {
  const char* folder;
  std::vector<std::string> refusals;  // empty: allowed
  WallTime now = kToday;
};

const std::vector<std::string> kVersion2{"snp.report-version-supported"};
const std::vector<std::string> kBadSignature{"snp.signature-valid"};

const Verdict kReal[] = {
    {"milan-v2-fw1.49-debug", kVersion2},
    {"milan-v2-fw1.52", kVersion2},
    {"milan-v2-azure-provisional", kVersion2},
    {"milan-v2-azure-hcl-provisional", kVersion2},
    {"milan-v3-azure-hostdata", {}},
    {"milan-v3-azure-vtpm-v1", {}},
    {"milan-v3-gcp-oak-rel", {}},
    {"milan-v3-gcp-rk-stg", {}},
    {"milan-v3-vlek-aws", {"snp.certificate-valid"}},
    {"milan-v3-vlek-aws", {}, kWhileTheVlekWasValid},
    {"genoa-v3-azure-vtpm", {}},
    {"genoa-v5-gcp", {}},
    {"turin-v5-gcp", {}},  // with the reserved platform bit 6 set
    {"coco-evidence-json", {}},
    {"neg-wrong-chip-vcek", kVersion2},
    // The ASK that was offered as issuer is not looked at: the VLEK is held to the pinned ASVK.
    {"neg-vlek-report-with-ask-chain", {"snp.certificate-valid"}},
    {"neg-vlek-report-with-ask-chain", {}, kWhileTheVlekWasValid},
    {"mut-milan-measurement-bit", kBadSignature},
    {"mut-milan-debug-bit-cleared", kVersion2},
    {"mut-milan-s-malleated", {}},  // another encoding of the same signature: replay is the nonce's business
    {"mut-milan-unsigned-tail", {"snp.report-well-formed"}},
    {"mut-milan-r-padding", kBadSignature},
    {"mut-milan-zero-signature", kBadSignature},
    {"mut-milan-truncated", {"snp.report-well-formed"}},
    {"mut-milan-version-6", kVersion2},
    {"mut-milan-signing-key-vlek", {"snp.certificate-present"}},
    {"mut-milan-sigalgo-0", {"snp.signature-algorithm", "snp.signature-valid"}},
    {"mut-turin-fms-to-milan", {"snp.report-well-formed"}},
};

TEST(RealSnpEvidence, GetsItsVerdict) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "snp");
  for (const Verdict& verdict : kReal) {
    SCOPED_TRACE(verdict.folder);
    const Verification got = VerifyBaseline(Read(root / verdict.folder), AmdTrustAnchors(), verdict.now);
    EXPECT_THAT(test::Refusals(got.tree), ElementsAreArray(verdict.refusals));
    EXPECT_EQ(got.tree.allowed(), verdict.refusals.empty());
  }
}

TEST(RealSnpEvidence, IsAllInTheTable) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "snp");
  std::set<std::string> named, there;
  for (const Verdict& verdict : kReal) named.insert(verdict.folder);
  for (const auto& entry : fs::directory_iterator(root))
    if (fs::exists(entry.path() / "report.bin")) there.insert(entry.path().filename());
  EXPECT_EQ(named, there);
}

/// The folders of synthetic/, under their own root and with a policy that the baseline report meets.
const Verdict kSynthetic[] = {
    {"good-milan", {}},
    {"good-turin", {"snp.crl-current"}},  // nobody made a list of its root
    {"good-vlek", {}},
    {"debug-enabled", {"snp.debug-off"}},
    {"migration-agent", {"snp.migration-allowed"}},
    {"vmpl3", {"snp.vmpl-allowed"}},
    {"hostamd-vmpl-ffffffff", {"snp.vmpl-is-guest", "snp.vmpl-allowed"}},
    {"tcb-below-floor", {"snp.tcb-floor-reported", "snp.tcb-floor-committed", "snp.tcb-floor-launch"}},
    {"reported-lower-than-current", {"snp.tcb-floor-reported"}},
    // Its COMMITTED_TCB is below REPORTED_TCB too, which no firmware reports.
    {"provisional-firmware", {"snp.tcb-order", "snp.tcb-floor-committed", "snp.provisional-firmware"}},
    {"cert-tcb-mismatch", {"snp.certificate-matches-tcb"}},
    {"cert-no-hwid", {"snp.certificate-matches-kind", "snp.certificate-matches-chip"}},
    {"cert-hwid-mismatch", {"snp.certificate-matches-chip"}},
    {"cert-hwid-der-octet", {}},
    {"vlek-under-ask", {"snp.chain-trusted"}},
    {"key-info-none", {"snp.signing-key"}},
    {"alias-check-missing", {"snp.platform-must-set"}},
    {"reserved-nonzero", {"snp.report-well-formed"}},
};

crypto::Crl ReadList(const fs::path& root, const std::string& name) {
  return crypto::Crl::Parse(test::ReadBytes(root / "crl" / name)).value();
}

ReferenceValues PolicyOfTheBaseline(const std::string& folder) {
  const auto state = folder == "good-turin" ? lab::LaunchState::Turin() : lab::LaunchState::Milan();
  ReferenceValues reference = test::ReferenceFor(state);
  reference.any_genuine_chip = true;
  reference.csps = {"CN=cc-test.example"};
  for (AllowedProduct& product : reference.products) product.firmware_build = 0;
  reference.max_crl_age = std::chrono::hours(24 * 366);
  return reference;
}

TEST(SyntheticSnpEvidence, GetsItsVerdictUnderItsOwnRoot) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "snp/synthetic");
  const TrustAnchors anchors = lab::LoadAnchors(root / "roots").value();
  const Binding binding{lab::LaunchState::CountingUp<ReportData>(), std::nullopt};
  const GivenEndorsements lists({ReadList(root, "crl-empty.der")});
  for (const Verdict& verdict : kSynthetic) {
    SCOPED_TRACE(verdict.folder);
    const Sample sample = Read(root / verdict.folder);
    const ReferenceValues reference = PolicyOfTheBaseline(verdict.folder);
    const Verification got =
        VerifySnp(sample.report, sample.certificates, &lists, anchors, verdict.now, &reference, &binding);
    EXPECT_THAT(test::Refusals(got.tree), ElementsAreArray(verdict.refusals));
    EXPECT_EQ(got.tree.allowed(), verdict.refusals.empty()) << codec::ToPrettyText(got.tree.ToJson());
  }
}

TEST(SyntheticSnpEvidence, IsHeldToTheRevocationListOfItsRoot) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "snp/synthetic");
  const TrustAnchors anchors = lab::LoadAnchors(root / "roots").value();
  const Sample vcek = Read(root / "good-milan"), vlek = Read(root / "good-vlek");
  const auto refusals = [&](const Sample& sample, const std::string& list) {
    const GivenEndorsements lists({ReadList(root, list)});
    return test::Refusals(
        VerifySnp(sample.report, sample.certificates, &lists, anchors, kToday, nullptr, nullptr).tree);
  };
  using testing::ElementsAre, testing::IsEmpty;
  EXPECT_THAT(refusals(vcek, "crl-empty.der"), IsEmpty());
  EXPECT_THAT(refusals(vlek, "crl-empty.der"), IsEmpty());
  EXPECT_THAT(refusals(vcek, "crl-ask-revoked.der"), ElementsAre("snp.not-revoked"));
  EXPECT_THAT(refusals(vlek, "crl-ask-revoked.der"), IsEmpty());  // its ASVK is not listed
  EXPECT_THAT(refusals(vcek, "crl-stale.der"), ElementsAre("snp.crl-current"));
  EXPECT_THAT(refusals(vcek, "crl-wrong-signer.der"), ElementsAre("snp.crl-current"));
  EXPECT_THAT(refusals(Read(root / "good-turin"), "crl-empty.der"), ElementsAre("snp.crl-current"));
}

TEST(SyntheticSnpEvidence, IsRefusedUnderAmdsRoots) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "snp/synthetic");
  for (const Verdict& verdict : kSynthetic) {
    SCOPED_TRACE(verdict.folder);
    const Verification got = VerifyBaseline(Read(root / verdict.folder), AmdTrustAnchors(), verdict.now);
    EXPECT_FALSE(got.tree.allowed());
    // Two don't get as far as their chain.
    const std::set<std::string> refused_before{"reserved-nonzero", "key-info-none"};
    const bool chain_seen = !refused_before.contains(verdict.folder);
    EXPECT_EQ(testing::Matches(testing::Contains("snp.chain-trusted"))(test::Refusals(got.tree)), chain_seen);
  }
}

TEST(SyntheticSnpEvidence, IsAllInTheTable) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "snp/synthetic");
  std::set<std::string> named, there;
  for (const Verdict& verdict : kSynthetic) named.insert(verdict.folder);
  for (const auto& entry : fs::directory_iterator(root))
    if (fs::exists(entry.path() / "report.bin")) there.insert(entry.path().filename());
  EXPECT_EQ(named, there);
}

TEST(RealSnpEvidence, IsRefusedWithAnyBitOfTheSignedBytesFlipped) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "snp");
  for (const char* folder : {"milan-v3-gcp-oak-rel", "turin-v5-gcp"}) {
    Sample sample = Read(root / folder);
    ASSERT_TRUE(VerifyBaseline(sample, AmdTrustAnchors(), kToday).tree.allowed());
    for (std::size_t offset = 0; offset < kSignedSize; ++offset) {
      const std::byte flip = std::byte{1} << (offset % 8);
      sample.report[offset] ^= flip;
      ASSERT_FALSE(VerifyBaseline(sample, AmdTrustAnchors(), kToday).tree.allowed())
          << folder << " at " << std::hex << offset;
      sample.report[offset] ^= flip;
    }
  }
}

TEST(RealSnpEvidence, IsRefusedWithAnyByteOfTheRestFlipped) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "snp/genoa-v5-gcp");
  Sample sample = Read(root);
  for (std::size_t offset = kSignedSize; offset < kReportSize; ++offset) {
    sample.report[offset] ^= std::byte{0x10};
    ASSERT_FALSE(VerifyBaseline(sample, AmdTrustAnchors(), kToday).tree.allowed()) << std::hex << offset;
    sample.report[offset] ^= std::byte{0x10};
  }
}

TEST(RealSnpEvidence, IsRefusedAtEveryTruncation) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "snp/milan-v3-gcp-oak-rel");
  const Sample sample = Read(root);
  for (std::size_t size = 0; size < sample.report.size(); ++size)
    ASSERT_FALSE(VerifySnp(Bytes(sample.report).first(size), sample.certificates, nullptr, AmdTrustAnchors(),
                           kToday, nullptr, nullptr)
                     .tree.allowed());
}

TEST(RealSnpEvidence, IsRefusedWithTheCertificateOfAnotherReport) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "snp");
  Sample sample = Read(root / "milan-v3-gcp-oak-rel");
  sample.certificates = Read(root / "milan-v3-gcp-rk-stg").certificates;
  EXPECT_THAT(test::Refusals(VerifyBaseline(sample, AmdTrustAnchors(), kToday).tree),
              testing::ElementsAre("snp.certificate-matches-chip", "snp.signature-valid"));
  sample.certificates = Read(root / "genoa-v5-gcp").certificates;
  EXPECT_THAT(test::Refusals(VerifyBaseline(sample, AmdTrustAnchors(), kToday).tree),
              testing::Contains("snp.chain-trusted"));
}

TEST(RealSnpEvidence, IsRefusedWhereItsIssuerTakesTheRoleOfAnother) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "snp/neg-vlek-report-with-ask-chain");
  TrustAnchors swapped = AmdTrustAnchors();
  swapped.products[0].asvk = swapped.products[0].ask;
  EXPECT_THAT(test::Refusals(VerifyBaseline(Read(root), swapped, kWhileTheVlekWasValid).tree),
              testing::ElementsAre("snp.chain-trusted"));
}

crypto::Certificate LooseCertificate(const fs::path& path) {
  return crypto::Certificate::Parse(test::ReadBytes(path)).value();
}

TEST(RealSnpCertificates, AreExaminedAsTheyAre) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "snp");
  const auto milan = [&](const char* name) {
    return Examine(LooseCertificate(root / name), KeyKind::kVcek, AmdTrustAnchors().For(Product::kMilan));
  };
  EXPECT_FALSE(milan("vcek-bad-issuer-signature-legacy.der").links_verified);
  EXPECT_TRUE(milan("vcek-same-key-a.der").sound());
  EXPECT_TRUE(milan("vcek-same-key-b.der").sound());
  const ExaminedLeaf turin = Examine(LooseCertificate(root / "vcek-turin-b0-structversion1.der"),
                                     KeyKind::kVcek, AmdTrustAnchors().For(Product::kTurin));
  ASSERT_TRUE(turin.sound());
  EXPECT_EQ(turin.extensions->struct_version, 1);
  EXPECT_EQ(turin.extensions->tcb, (Tcb{.microcode = 9}));
  EXPECT_EQ(turin.extensions->hwid->size(), 8u);
}

TEST(RealCertificateTables, GetTheirVerdict) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "snp");
  const auto parse = [&](const char* name) { return ParseCertificateTable(test::ReadBytes(root / name)); };

  const auto good = parse("exttable-milan-good.bin");
  ASSERT_TRUE(good.has_value());
  const Sample report = Read(root / "milan-v3-gcp-oak-rel");
  EXPECT_TRUE(VerifyBaseline({report.report, *good}, AmdTrustAnchors(), kToday).tree.allowed());

  const auto vlek = parse("exttable-vlek-good.bin");
  ASSERT_TRUE(vlek.has_value());
  const Sample aws = Read(root / "milan-v3-vlek-aws");
  EXPECT_TRUE(VerifyBaseline({aws.report, *vlek}, AmdTrustAnchors(), kWhileTheVlekWasValid).tree.allowed());

  EXPECT_EQ(parse("exttable-no-terminator.bin").error().code, ReasonCode::kEvidenceMalformed);
  EXPECT_EQ(parse("exttable-offset-overflow.bin").error().code, ReasonCode::kEvidenceMalformed);
}

TEST(RealSnpEvidence, FailsThePolicyRowsThatItShould) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "snp/milan-v3-vlek-aws");
  const Sample sample = Read(root);
  const auto report = ParseReport(sample.report);
  ReferenceValues reference = test::ReferenceFor({});
  reference.csps = {"CN=cc-us-east-2.amazonaws.com"};
  reference.measurements = {report->measurement};
  reference.products[0].tcb_floor.microcode = 0xD9;
  const Binding binding{report->report_data, std::nullopt};
  const auto refusals = [&] {
    return test::Refusals(VerifySnp(sample.report, sample.certificates, nullptr, AmdTrustAnchors(),
                                    kWhileTheVlekWasValid, &reference, &binding)
                              .tree);
  };
  EXPECT_THAT(refusals(),
              testing::ElementsAre("snp.crl-current", "snp.provisional-firmware", "snp.vmpl-allowed"));
  reference.vmpls = {1};
  reference.provisional_firmware_allowed = true;
  EXPECT_THAT(refusals(), testing::ElementsAre("snp.crl-current"));  // no list of AMD's is at hand
}

}  // namespace
}  // namespace portcullis::snp

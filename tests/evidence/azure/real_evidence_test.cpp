#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "evidence/azure/vtpm_checks.h"
#include "evidence/snp/report.h"
#include "tests/evidence/azure/snp_builder.h"
#include "tests/evidence/tdx/manifest.h"

// Evidence of real Azure VMs, at the verdict that the test data's READMEs give.
namespace portcullis::azure {
namespace {

using portcullis::test::ReadBytes;
using test::Refusals;
using testing::ElementsAre;
using testing::IsEmpty;

codec::Json ReadJson(const std::filesystem::path& path) {
  return codec::ParseJson(AsText(ReadBytes(path))).value();
}

// The first is tpm/az-snp-vtpm_evidence-v1.json too.
const char* const kSnpEvidence[] = {"snp/milan-v3-azure-vtpm-v1/evidence.json",
                                    "snp/genoa-v3-azure-vtpm/evidence.json"};

class RealAzureSnp : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    PORTCULLIS_TESTDATA_OR_SKIP(file, GetParam());
    evidence = ParseSnpEvidence(ReadJson(file)).value();
  }
  evidence::Verification VerifyBaseline(const SnpEvidence& what) const {
    return VerifyAzSnp(what, nullptr, snp::AmdTrustAnchors(), portcullis::test::kEvidenceTime, nullptr,
                       nullptr);
  }
  /// Under a policy that pins what this evidence shows.
  std::vector<std::string> RefusalsUnderPolicy(Bytes report_data,
                                               std::optional<crypto::Sha256Digest> init_data) const {
    const auto hcl = ParseHclReport(evidence.hcl_report, ReportType::kSnp).value();
    const auto report = snp::ParseReport(hcl.hardware_report).value();
    SnpReferenceValues reference{portcullis::test::ReferenceFor({}), {{}, true}};
    reference.snp.any_genuine_chip = true;
    reference.snp.measurements = {report.measurement};
    reference.snp.products[0].family = report.cpuid.family;
    reference.snp.products[0].model = report.cpuid.model;
    reference.snp.products[0].stepping = report.cpuid.stepping;
    reference.snp.products[0].tcb_floor = report.reported_tcb;
    reference.snp.products[0].firmware_build = 0;
    for (const unsigned pcr : {4u, 7u, 9u, 11u}) reference.vtpm.pcrs[pcr] = {evidence.quote.pcrs[pcr]};
    const Binding binding{ToBuffer(report_data), init_data};
    return Refusals(VerifyAzSnp(evidence, nullptr, snp::AmdTrustAnchors(), portcullis::test::kEvidenceTime,
                                &reference, &binding)
                        .tree);
  }

  SnpEvidence evidence;
};
INSTANTIATE_TEST_SUITE_P(All, RealAzureSnp, testing::ValuesIn(kSnpEvidence),
                         [](const auto& sample) { return "Sample" + std::to_string(sample.index); });

TEST_P(RealAzureSnp, IsGenuine) {
  const auto verified = VerifyBaseline(evidence);
  EXPECT_TRUE(verified.tree.allowed()) << codec::ToPrettyText(verified.tree.ToJson());
  EXPECT_TRUE(*verified.claims.At({"vtpm", "secureBoot"})->if_bool());
}

TEST_P(RealAzureSnp, IsHeldToAPolicy) {
  const bool genoa = evidence.version == 0;  // the one whose guest extended init-data
  const auto quote = tpm::ParseQuote(evidence.quote.message).value();
  // No revocation list of AMD's is at hand.
  if (genoa)
    EXPECT_THAT(RefusalsUnderPolicy(quote.extra_data, {}), ElementsAre("snp.crl-current", "az.init-data"));
  else
    EXPECT_THAT(RefusalsUnderPolicy(quote.extra_data, {}), ElementsAre("snp.crl-current"));
  EXPECT_THAT(RefusalsUnderPolicy(AsBytes("challeng"), {}), testing::Contains("az.vtpm-nonce"));
  EXPECT_THAT(RefusalsUnderPolicy(quote.extra_data, crypto::Sha256(AsBytes("init-data"))),
              testing::Contains("az.init-data"));
}

TEST_P(RealAzureSnp, IsRefusedWithAnyByteOfTheHclReportFlipped) {
  for (std::size_t offset = 0; offset < evidence.hcl_report.size(); ++offset) {
    if (offset == 4) continue;                                // its version is 1 or 2, and nobody signs it
    const bool in_report = offset >= 0x20 && offset < 0x4C0;  // swept by the tests of SNP itself
    if (in_report && offset % 16 != 0) continue;
    SnpEvidence altered = evidence;
    altered.hcl_report[offset] ^= std::byte{static_cast<unsigned char>(1u << (offset % 8))};
    ASSERT_FALSE(VerifyBaseline(altered).tree.allowed()) << offset;
  }
}

TEST_P(RealAzureSnp, IsRefusedWithAnyBitOfTheQuoteFlipped) {
  const auto facts = ParseHclReport(evidence.hcl_report, ReportType::kSnp).value();
  for (std::size_t bit = 0; bit < 8 * evidence.quote.message.size(); ++bit) {
    SnpEvidence altered = evidence;
    altered.quote.message[bit / 8] ^= std::byte{static_cast<unsigned char>(1u << (bit % 8))};
    ASSERT_FALSE(facts.attestation_key.VerifyPkcs1Sha256(altered.quote.message, evidence.quote.signature))
        << bit;
    if (bit % 8 != (bit / 8) % 8) continue;  // the whole way for one bit of each byte
    ASSERT_FALSE(VerifyBaseline(altered).tree.allowed()) << bit;
  }
  for (std::size_t offset = 0; offset < evidence.quote.signature.size(); ++offset) {
    SnpEvidence altered = evidence;
    altered.quote.signature[offset] ^= std::byte{1};
    ASSERT_FALSE(VerifyBaseline(altered).tree.allowed()) << offset;
  }
}

TEST_P(RealAzureSnp, IsRefusedWithAnyPcrChanged) {
  for (std::size_t pcr = 0; pcr < tpm::kPcrCount; ++pcr) {
    SnpEvidence altered = evidence;
    altered.quote.pcrs[pcr] = crypto::Sha256(AsBytes("another"));
    EXPECT_THAT(Refusals(VerifyBaseline(altered).tree), ElementsAre("az.pcr-digest")) << pcr;
  }
}

TEST_P(RealAzureSnp, IsRefusedAtEveryTruncation) {
  for (std::size_t size = 0; size < evidence.hcl_report.size(); size += 7) {
    SnpEvidence altered = evidence;
    altered.hcl_report.resize(size);
    const bool data_whole = ParseHclReport(altered.hcl_report, ReportType::kSnp).has_value();
    ASSERT_EQ(VerifyBaseline(altered).tree.allowed(), data_whole) << size;  // only padding was cut
  }
  for (std::size_t size = 0; size < evidence.quote.message.size(); ++size) {
    SnpEvidence altered = evidence;
    altered.quote.message.resize(size);
    ASSERT_FALSE(VerifyBaseline(altered).tree.allowed()) << size;
  }
}

TEST(RealAzureQuotes, AreSignedByTheKeyOfTheirHclReport) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tpm");
  const auto subject = [&](const char* hcl_file, ReportType type, const char* other) {
    const auto hcl = ParseHclReport(ReadBytes(root / hcl_file), type).value();
    const codec::Json json = ReadJson(root / other);
    const ByteBuffer message = codec::DecodeHex(json.TextAt({"message"})).value();
    const ByteBuffer signature = codec::DecodeHex(json.TextAt({"signature"})).value();
    EXPECT_EQ(AsText(tpm::ParseQuote(message)->extra_data), "challenge");
    return hcl.attestation_key.VerifyPkcs1Sha256(message, signature);
  };
  EXPECT_TRUE(subject("az-snp-vtpm_hcl-report.bin", ReportType::kSnp, "az-snp-vtpm_tpm-quote-v1.json"));
  EXPECT_TRUE(subject("az-tdx-vtpm_hcl-report.bin", ReportType::kTdx, "az-tdx-vtpm_tpm-quote-v1.json"));
  EXPECT_FALSE(subject("az-tdx-vtpm_hcl-report.bin", ReportType::kTdx, "az-snp-vtpm_tpm-quote-v1.json"));
}

TEST(RealAzureSnpOfVersion2, IsRefusedSinceItsReportNamesNoProcessor) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "snp/milan-v2-azure-hcl-provisional");
  SnpEvidence evidence{};
  evidence.hcl_report = ReadBytes(folder / "hcl_report.bin");
  evidence.quote.message = ReadBytes(folder / "quote.msg");
  evidence.quote.signature = ReadBytes(folder / "quote.sig");
  evidence.certificates.push_back(crypto::Certificate::Parse(ReadBytes(folder / "vcek.der")).value());
  const auto verified = VerifyAzSnp(evidence, nullptr, snp::AmdTrustAnchors(),
                                    portcullis::test::kEvidenceTime, nullptr, nullptr);
  EXPECT_THAT(Refusals(verified.tree), testing::Contains("snp.report-version-supported"));
}

/// The TDX machine's evidence at a time when its collateral was current: OutOfDate, without SEPT_VE_DISABLE.
class RealAzureTdx : public testing::Test {
 protected:
  void SetUp() override {
    PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx");
    evidence = ParseTdxEvidence(ReadJson(root / "azure/evidence-v1.json")).value();
    accepted = tdx::test::Named(tdx::test::RealCases(root), "azure-accepted");
    collateral.emplace(accepted->collateral);
    reference = TdxReferenceValues{accepted->reference, {{}, true}};
    for (const unsigned pcr : {4u, 7u, 9u, 11u}) reference->vtpm.pcrs[pcr] = {evidence.quote.pcrs[pcr]};
  }
  std::vector<std::string> RefusalsOf(const TdxEvidence& what, std::string_view report_data) const {
    const Binding binding{ToBuffer(AsBytes(report_data)), std::nullopt};
    return Refusals(
        VerifyAzTdx(what, *collateral, accepted->anchors, accepted->now, &*reference, &binding).tree);
  }
  bool IsAllowed(const TdxEvidence& what) const {
    return VerifyAzTdx(what, *collateral, accepted->anchors, accepted->now, nullptr, nullptr).tree.allowed();
  }

  TdxEvidence evidence;
  std::optional<tdx::test::Case> accepted;
  std::optional<tdx::test::OneCollateral> collateral;
  std::optional<TdxReferenceValues> reference;
};

TEST_F(RealAzureTdx, IsAllowedWhereThePolicyToleratesItsTcb) {
  EXPECT_THAT(RefusalsOf(evidence, "challenge"), IsEmpty());
  EXPECT_THAT(RefusalsOf(evidence, "challengf"), ElementsAre("az.vtpm-nonce"));
  EXPECT_TRUE(IsAllowed(evidence));
}

TEST_F(RealAzureTdx, IsRefusedAsOutOfDateAndForItsAttributesElse) {
  reference->tdx.tcb_statuses = {tdx::TcbStatus::kUpToDate};
  reference->tdx.td_attributes_must_set = tdx::test::kSeptVeDisable;
  const auto refusals = RefusalsOf(evidence, "challenge");
  EXPECT_EQ(refusals.size(), 2u) << testing::PrintToString(refusals);
  EXPECT_TRUE(std::ranges::all_of(refusals, [](const std::string& id) { return id.starts_with("tdx."); }));
}

TEST_F(RealAzureTdx, IsRefusedWithAnyByteOfTheHclReportFlipped) {
  // Of the TDREPORT only what the quote repeats is looked at: its MAC is for its own machine alone.
  const auto unproven = [](std::size_t offset) {
    constexpr std::size_t kReport = 0x20, kReportData = kReport + 128, kMrTd = kReport + 528,
                          kRtmrs = kReport + 720;
    if (offset == 4) return true;  // the header's version is 1 or 2, and nobody signs it
    if (offset < kReport || offset >= kReport + 1024) return false;
    return !(kReportData <= offset && offset < kReportData + 64) &&
           !(kMrTd <= offset && offset < kMrTd + 48) && !(kRtmrs <= offset && offset < kRtmrs + 4 * 48);
  };
  for (std::size_t offset = 0; offset < evidence.hcl_report.size(); ++offset) {
    if (unproven(offset)) continue;
    TdxEvidence altered = evidence;
    altered.hcl_report[offset] ^= std::byte{static_cast<unsigned char>(1u << (offset % 8))};
    ASSERT_FALSE(IsAllowed(altered)) << offset;
  }
}

TEST_F(RealAzureTdx, IsRefusedWithTheQuoteOfAnotherTd) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx");
  for (const tdx::test::Case& other : tdx::test::RealCases(root)) {
    if (other.name.starts_with("azure")) continue;
    TdxEvidence altered = evidence;
    altered.td_quote = other.evidence.quote;
    EXPECT_FALSE(IsAllowed(altered)) << other.name;
  }
}

}  // namespace
}  // namespace portcullis::azure

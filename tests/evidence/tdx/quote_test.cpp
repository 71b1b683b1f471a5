#include "evidence/tdx/quote.h"

#include <gmock/gmock.h>

#include "tests/evidence/tdx/manifest.h"

namespace portcullis::tdx {
namespace {

using enum ReasonCode;
using test::Case;

constexpr std::size_t kPhalaPadding = 70;  // zeros behind the genuine quote

void Flip(ByteBuffer& bytes, std::size_t at, unsigned char mask) { bytes[at] ^= std::byte{mask}; }

Case Phala(const test::fs::path& root) { return Named(test::RealCases(root), "phala-v4-uptodate"); }

TEST(ParseTdxQuote, ReadsWhatTheQuotesSay) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx/quotes");
  const ByteBuffer bytes = test::ReadBytes(root / "v5-td15-servicetd.bin");
  const auto quote = ParseQuote(bytes);
  ASSERT_TRUE(quote.has_value()) << quote.error().ToString();
  const TdReport& report = quote->report;
  EXPECT_EQ(quote->version, 5);
  EXPECT_EQ(codec::EncodeHex(report.tee_tcb_svn.bytes()), "05010200000000000000000000000000");
  EXPECT_EQ(report.td_attributes, 0x10000000u);
  EXPECT_EQ(report.xfam, 0x642e7u);
  EXPECT_EQ(
      codec::EncodeHex(report.mr_td.bytes()),
      "dfba221b48a22af8511542ee796603f37382800840dcd978703909bf8e64d4c8a1e9de86e7c9638bfcba422f3886400a");
  EXPECT_EQ(codec::EncodeHex(report.rtmrs[0].bytes()).substr(0, 16), "9b529f3689e2e8eb");
  EXPECT_EQ(codec::EncodeHex(report.rtmrs[1].bytes()).substr(0, 16), "ca5a979317ffe8a5");
  EXPECT_TRUE(report.rtmrs[2].IsZero());
  EXPECT_TRUE(report.mr_signer_seam.IsZero());
  EXPECT_EQ(codec::EncodeHex(report.mr_seam.bytes()).substr(0, 16), "1cc6a17ab799e9a6");
  ASSERT_TRUE(report.tdx15);
  EXPECT_EQ(codec::EncodeHex(report.tdx15->mr_service_td.bytes()).substr(0, 16), "383c87d3bbb047b2");
  EXPECT_EQ(codec::EncodeHex(report.report_data.bytes()).substr(0, 16), "6d6ab13b046cff60");
  EXPECT_EQ(quote->qe_report.isv_svn, 6);
  EXPECT_EQ(quote->qe_report.isv_prod_id, 2);
  EXPECT_EQ(quote->signed_part.size(), 48u + 6 + 648);
  EXPECT_EQ(quote->qe_auth_data.size(), 32u);
}

TEST(ParseTdxQuote, TakesEveryGenuineQuoteButTheOneWithTextBehindIt) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx/quotes");
  for (const auto& file : portcullis::test::FilesIn(root)) {
    const auto quote = ParseQuote(test::ReadBytes(file));
    if (file.filename() == "v4-spr-e4-pks.bin")
      EXPECT_EQ(quote.error().where, "tdx.quote-trailing");
    else
      EXPECT_TRUE(quote.has_value()) << file;
  }
}

TEST(ParseTdxQuote, NamesThePlatform) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx/quotes");
  const ByteBuffer bytes = test::ReadBytes(root / "v4-gcp-cos113.bin");
  const auto platform = PlatformOf(ParseQuote(bytes).value());
  ASSERT_TRUE(platform.has_value()) << platform.error().ToString();
  EXPECT_EQ(codec::EncodeHex(platform->fmspc.bytes()), "00806f050000");
  EXPECT_EQ(codec::EncodeHex(platform->ppid.bytes()), "8ebf889447fd60ab1913348582eb509e");
  EXPECT_EQ(platform->ca, PckCa::kPlatform);
}

TEST(ParseTdxQuote, RefusesEveryTruncation) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx/quotes");
  for (const char* name : {"v4-b0c06f-phala.bin", "v5-td15-90c06f.bin"}) {
    const ByteBuffer bytes = test::ReadBytes(root / name);
    const std::size_t padding = std::string_view(name).starts_with("v4") ? kPhalaPadding : 0;
    ASSERT_TRUE(ParseQuote(bytes).has_value());
    for (std::size_t size = 0; size < bytes.size() - padding; ++size)
      EXPECT_FALSE(ParseQuote(Bytes(bytes).first(size)).has_value()) << name << " " << size;
    for (std::size_t size = bytes.size() - padding; size <= bytes.size(); ++size)
      EXPECT_TRUE(ParseQuote(Bytes(bytes).first(size)).has_value()) << name << " " << size;
  }
}

TEST(ParseTdxQuote, TakesZerosBehindAQuoteUpToALimit) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx/quotes");
  ByteBuffer bytes = test::ReadBytes(root / "v5-td15-90c06f.bin");
  const std::size_t size = bytes.size();
  bytes.resize(size + kMaxPaddingBytes);
  EXPECT_TRUE(ParseQuote(bytes).has_value());
  bytes.back() = std::byte{1};
  EXPECT_EQ(ParseQuote(bytes).error().where, "tdx.quote-trailing");
  bytes.back() = std::byte{0};
  bytes.push_back(std::byte{0});
  EXPECT_EQ(ParseQuote(bytes).error().where, "tdx.quote-trailing");
  bytes.resize(kMaxQuoteBytes + 1);
  EXPECT_EQ(ParseQuote(bytes).error().where, "tdx.quote-size");
}

TEST(ParseTdxQuote, SaysWhichRowRefuses) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx/quotes");
  const ByteBuffer good = test::ReadBytes(root / "v5-td15-90c06f.bin");
  const struct {
    std::size_t at;
    const char* row;
    ReasonCode reason;
  } kCases[] = {
      {0, "tdx.quote-version", kEvidenceVersionUnsupported},
      {2, "tdx.quote-att-key-type", kEvidenceVersionUnsupported},
      {4, "tdx.quote-tee-type", kEvidenceVersionUnsupported},
      {8, "tdx.quote-reserved", kEvidenceMalformed},
      {11, "tdx.quote-reserved", kEvidenceMalformed},
      {12, "tdx.quote-qe-vendor", kEvidenceMalformed},
      {27, "tdx.quote-qe-vendor", kEvidenceMalformed},
      {48, "tdx.quote-body-type", kEvidenceVersionUnsupported},
      {50, "tdx.quote-body-type", kEvidenceVersionUnsupported},
      {704, "tdx.quote-sig-len", kEvidenceMalformed},  // of the signature data, bits above
      {706 + 128, "tdx.cert-data-type", kEvidenceVersionUnsupported},
      {706 + 130, "tdx.cert-data-len", kEvidenceMalformed},
      {706 + 134 + 448 + 1, "tdx.cert-data-len", kEvidenceMalformed},  // of the QE authentication data
      {706 + 134 + 448 + 34, "tdx.cert-data-type", kEvidenceVersionUnsupported},
      {706 + 134 + 448 + 36, "tdx.cert-data-len", kEvidenceMalformed},
  };
  for (const auto& c : kCases) {
    ByteBuffer bytes = good;
    Flip(bytes, c.at, 0x40);
    const auto quote = ParseQuote(bytes);
    ASSERT_FALSE(quote.has_value()) << c.at;
    EXPECT_EQ(quote.error().where, c.row) << c.at;
    EXPECT_EQ(quote.error().code, c.reason) << c.at;
  }
}

TEST(VerifyTdx, RefusesEveryByteOfAGenuineQuoteChanged) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx");
  const Case good = Phala(root);
  const test::OneCollateral collateral(good.collateral);
  Evidence evidence = good.evidence;
  for (std::size_t at = 0; at < evidence.quote.size(); ++at) {
    const auto mask = static_cast<unsigned char>(1u << at % 8);
    Flip(evidence.quote, at, mask);
    EXPECT_FALSE(VerifyTdx(evidence, collateral, good.anchors, good.now, &good.reference, &good.binding)
                     .tree.allowed())
        << "byte " << at;
    Flip(evidence.quote, at, mask);
  }
  EXPECT_EQ(evidence.quote, good.evidence.quote);
}

// PEM is not part of what is signed: how its lines end, and a zero byte behind it, say nothing.
TEST(VerifyTdx, TakesALineThatEndsInAnotherWay) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx");
  Case c = Phala(root);
  const auto pem_end = std::ranges::search(c.evidence.quote, AsBytes("CERTIFICATE-----\n-----BEGIN")).begin();
  ASSERT_NE(pem_end, c.evidence.quote.end());
  *(pem_end + 16) = std::byte{'\r'};
  EXPECT_TRUE(c.Verify().tree.allowed());
  *(pem_end + 16) = std::byte{' '};
  EXPECT_THAT(test::Refusals(c.Verify().tree), testing::ElementsAre("tdx.pck-chain-malformed"));
}

TEST(VerifyTdx, RefusesEveryTruncationOfAGenuineQuote) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx");
  const Case good = Phala(root);
  const test::OneCollateral collateral(good.collateral);
  for (std::size_t size = 0; size + kPhalaPadding < good.evidence.quote.size(); size += 7) {
    Evidence evidence{ToBuffer(Bytes(good.evidence.quote).first(size)), {}};
    EXPECT_FALSE(VerifyTdx(evidence, collateral, good.anchors, good.now, &good.reference, &good.binding)
                     .tree.allowed())
        << size;
  }
}

// Twice: what is remembered of a platform must not let through what was refused before, or the other way.
TEST(VerifyTdx, SaysTheSameOfAPlatformThatItKnows) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx");
  const Case good = Phala(root);
  EXPECT_TRUE(good.Verify().tree.allowed());
  Case late = good;
  late.now += std::chrono::days(365);
  Case elsewhere = good;
  elsewhere.anchors.root_spki = {};
  Case altered = good;
  Flip(altered.evidence.quote, 48 + 520, 1);  // REPORTDATA
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(test::Refusals(late.Verify().tree),
                testing::ElementsAre("tdx.crl-stale", "tdx.tcbinfo-stale", "tdx.qeid-stale"));
    EXPECT_EQ(test::Refusals(elsewhere.Verify().tree).front(), "tdx.root-untrusted");
    EXPECT_THAT(test::Refusals(altered.Verify().tree), testing::ElementsAre("tdx.quote-signature"));
    EXPECT_TRUE(good.Verify().tree.allowed());
  }
}

}  // namespace
}  // namespace portcullis::tdx

#include "evidence/tdx/collateral_gate.h"

#include <gmock/gmock.h>

#include "tests/evidence/tdx/manifest.h"

namespace portcullis::tdx {
namespace {

using enum ReasonCode;
using test::fs::path;

const WallTime kNow = ParseTimestamp("2026-02-20T00:00:00Z").value();

/// Genuine collateral of February 2026.
struct Genuine {
  ByteBuffer tcb_info, qe_identity, pck_crl, root_crl;
  std::string signing_chain, ca_chain;
  TrustAnchors anchors = IntelTrustAnchors();

  explicit Genuine(const path& folder)
      : tcb_info(test::ReadBytes(folder / "tcbinfo-tdx-90c06f000000-20260218.json")),
        qe_identity(test::ReadBytes(folder / "qeid-td-20260218.json")),
        pck_crl(test::ReadBytes(folder / "crl-platform-20260218.der")),
        root_crl(test::ReadBytes(folder / "crl-root-20250320.der")),
        signing_chain(test::ReadFile(folder / "chain-tcb-signing-2025.pem")),
        ca_chain(test::ReadFile(folder / "chain-pck-platform.pem")) {}

  CollateralBytes Bytes() const {
    return {.tcb_info = tcb_info,
            .qe_identity = qe_identity,
            .tcb_info_chain = signing_chain,
            .qe_identity_chain = signing_chain,
            .pck_crl = pck_crl,
            .root_crl = root_crl,
            .pck_crl_chain = ca_chain};
  }
};

TEST(CollateralGate, TakesGenuineDocumentsAndSaysWhatTheyAre) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "tdx/collateral");
  const Genuine genuine(folder);
  const auto facts = ExamineCollateral(genuine.Bytes(), genuine.anchors, kNow);
  ASSERT_TRUE(facts.has_value()) << facts.error().ToString();
  EXPECT_EQ(codec::EncodeHex(facts->tcb_info.fmspc.bytes()), "90c06f000000");
  EXPECT_EQ(facts->tcb_info.id, "TDX");
  EXPECT_EQ(facts->tcb_info.evaluation_number, 18u);
  EXPECT_EQ(FormatTimestamp(facts->tcb_info.window.issued), "2026-02-18T10:58:51Z");
  EXPECT_EQ(FormatTimestamp(facts->tcb_info.window.next_update), "2026-03-20T10:58:51Z");
  EXPECT_EQ(facts->qe_identity.evaluation_number, 18u);
  EXPECT_EQ(facts->pck_crl.issuer, "Intel SGX PCK Platform CA");
  EXPECT_EQ(facts->pck_crl.listed, 57u);
  EXPECT_EQ(facts->root_crl.issuer, "Intel SGX Root CA");
  EXPECT_EQ(facts->root_crl.listed, 0u);
}

TEST(CollateralGate, RefusesAnotherRoot) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "tdx/collateral");
  const Genuine genuine(folder);
  const TrustAnchors other{crypto::Sha256Digest{}};
  EXPECT_EQ(ExamineTcbInfo(genuine.tcb_info, genuine.signing_chain, other, kNow).error().code,
            kChainUntrusted);
  EXPECT_EQ(ExamineQeIdentity(genuine.qe_identity, genuine.signing_chain, other, kNow).error().code,
            kChainUntrusted);
  EXPECT_EQ(ExaminePckCrl(genuine.pck_crl, genuine.ca_chain, other, kNow).error().code, kChainUntrusted);
  EXPECT_EQ(ExamineRootCrl(genuine.root_crl, genuine.ca_chain, other, kNow).error().code, kChainUntrusted);
}

TEST(CollateralGate, RefusesAChainOfAnotherRole) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "tdx/collateral");
  const Genuine genuine(folder);
  const auto& anchors = genuine.anchors;
  EXPECT_EQ(ExamineTcbInfo(genuine.tcb_info, genuine.ca_chain, anchors, kNow).error().code, kChainUntrusted);
  EXPECT_EQ(ExaminePckCrl(genuine.pck_crl, genuine.signing_chain, anchors, kNow).error().code,
            kChainUntrusted);
  EXPECT_EQ(ExaminePckCrl(genuine.root_crl, genuine.ca_chain, anchors, kNow).error().code, kChainUntrusted);
  EXPECT_EQ(ExamineRootCrl(genuine.pck_crl, genuine.ca_chain, anchors, kNow).error().code, kChainUntrusted);
  // Any chain under the root leads to it.
  EXPECT_TRUE(ExamineRootCrl(genuine.root_crl, genuine.signing_chain, anchors, kNow).has_value());
  EXPECT_TRUE(ExamineRootCrl(genuine.root_crl, genuine.ca_chain, anchors, kNow).has_value());
}

TEST(CollateralGate, RefusesWhatIsNotCurrent) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "tdx/collateral");
  const Genuine genuine(folder);
  const auto code = [&](WallTime now) {
    const auto facts = ExamineTcbInfo(genuine.tcb_info, genuine.signing_chain, genuine.anchors, now);
    return facts ? std::nullopt : std::optional(facts.error().code);
  };
  const WallTime issued = ParseTimestamp("2026-02-18T10:58:51Z").value();
  const WallTime next = ParseTimestamp("2026-03-20T10:58:51Z").value();
  const auto moment = std::chrono::milliseconds(1);
  EXPECT_EQ(code(issued - moment), kCollateralStale);
  EXPECT_EQ(code(issued), std::nullopt);
  EXPECT_EQ(code(next), std::nullopt);
  EXPECT_EQ(code(next + moment), kCollateralStale);
  EXPECT_EQ(code(ParseTimestamp("2033-01-01T00:00:00Z").value()), kCertificateExpired);
  EXPECT_EQ(ExaminePckCrl(genuine.pck_crl, genuine.ca_chain, genuine.anchors, next).error().code,
            kCollateralStale);
}

// Every byte inside the document's object, and of its signature; a list's bytes too.
TEST(CollateralGate, RefusesEveryByteOfADocumentChanged) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "tdx/collateral");
  const Genuine genuine(folder);
  ByteBuffer body = genuine.qe_identity;
  for (std::size_t at = 0; at < body.size(); ++at) {
    const std::byte before = body[at];
    body[at] ^= std::byte{1};
    EXPECT_FALSE(ExamineQeIdentity(body, genuine.signing_chain, genuine.anchors, kNow).has_value()) << at;
    body[at] = before;
  }
  ByteBuffer list = genuine.root_crl;
  for (std::size_t at = 0; at < list.size(); ++at) {
    const std::byte before = list[at];
    list[at] ^= std::byte{1};
    EXPECT_FALSE(ExamineRootCrl(list, genuine.ca_chain, genuine.anchors, kNow).has_value()) << at;
    list[at] = before;
  }
}

TEST(CollateralGate, RefusesDocumentsOfAnotherKind) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "tdx/collateral");
  const Genuine genuine(folder);
  const WallTime then = ParseTimestamp("2025-08-20T00:00:00Z").value();
  const ByteBuffer sgx = test::ReadBytes(folder / "tcbinfo-sgx-00606a000000-20250815.json");
  EXPECT_EQ(ExamineTcbInfo(sgx, genuine.signing_chain, genuine.anchors, then).error().code,
            kEvidenceMalformed);
  const ByteBuffer qe = test::ReadBytes(folder / "qeid-sgx-20250815.json");
  EXPECT_EQ(ExamineQeIdentity(qe, genuine.signing_chain, genuine.anchors, then).error().code,
            kEvidenceMalformed);
  EXPECT_EQ(ExamineQeIdentity(genuine.tcb_info, genuine.signing_chain, genuine.anchors, kNow).error().code,
            kEvidenceMalformed);
  const ByteBuffer old = test::ReadBytes(folder / "tcbinfo-sgxv2-00606a000000-20250604.json");
  EXPECT_FALSE(ExamineTcbInfo(old, genuine.signing_chain, genuine.anchors, then).has_value());
}

TEST(CollateralGate, JudgesSyntheticDocumentsAsTheAppraisalDoes) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx");
  const auto synthetic = test::SyntheticCases(root);
  const auto tcb_info = [&](const char* name) {
    const auto c = Named(synthetic, name);
    const auto facts = ExamineTcbInfo(c.collateral.tcb_info, c.collateral.tcb_info_chain, c.anchors, c.now);
    return facts ? std::nullopt : std::optional(facts.error().code);
  };
  EXPECT_EQ(tcb_info("good-v4"), std::nullopt);
  EXPECT_EQ(tcb_info("tcbinfo-badsig"), kSignatureInvalid);
  EXPECT_EQ(tcb_info("tcbinfo-wrong-signer"), kSignatureInvalid);
  EXPECT_EQ(tcb_info("tcbinfo-reserialised"), kSignatureInvalid);
  EXPECT_EQ(tcb_info("tcbinfo-der-signature"), kSignatureInvalid);
  EXPECT_EQ(tcb_info("tcbinfo-dup-key"), kEvidenceMalformed);
  EXPECT_EQ(tcb_info("tcbinfo-dup-key-last"), kEvidenceMalformed);
  EXPECT_EQ(tcb_info("tcbinfo-dup-inner"), kEvidenceMalformed);
  EXPECT_EQ(tcb_info("tcbinfo-future"), kCollateralStale);
  EXPECT_EQ(tcb_info("tcbinfo-stale"), kCollateralStale);
  EXPECT_EQ(tcb_info("tcbinfo-type1"), kEvidenceMalformed);
  EXPECT_EQ(tcb_info("levels-15-components"), kEvidenceMalformed);
  EXPECT_EQ(tcb_info("levels-svn-256"), kEvidenceMalformed);
  EXPECT_EQ(tcb_info("tcb-chain-other-root"), kChainUntrusted);
  EXPECT_EQ(tcb_info("tcb-chain-wrong-cn"), kChainUntrusted);
  EXPECT_EQ(tcb_info("tcb-chain-leaf-only"), kChainUntrusted);
  EXPECT_EQ(tcb_info("tcb-chain-expired"), kCertificateExpired);

  auto revoked = Named(synthetic, "tcb-signer-revoked").collateral;
  const auto good = Named(synthetic, "good-v4");
  // The manifests have no chain of the PCK CA beside the quotes' own.
  const auto quote = ParseQuote(good.evidence.quote).value();
  const std::string_view chain = AsText(quote.pck_chain);
  revoked.pck_crl_chain = chain.substr(chain.find("-----BEGIN", 1));
  auto sound = good.collateral;
  sound.pck_crl_chain = revoked.pck_crl_chain;
  EXPECT_TRUE(ExamineCollateral(sound, good.anchors, good.now).has_value());
  EXPECT_EQ(ExamineCollateral(revoked, good.anchors, good.now).error().code, kCertificateRevoked);
}

}  // namespace
}  // namespace portcullis::tdx

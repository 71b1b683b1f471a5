#include "tests/evidence/tdx/manifest.h"

#include <gmock/gmock.h>

namespace portcullis::tdx {
namespace {

using enum ReasonCode;
using test::Case;
using test::Refusals;

/// How the rows are called that refuse what the manifests name, and the reason they give.
struct Name {
  std::set<std::string> rows;
  ReasonCode reason;
};
const std::map<std::string, Name> kNames = {
    {"quote_truncated", {{"tdx.quote-truncated"}, kEvidenceMalformed}},
    {"quote_version", {{"tdx.quote-version"}, kEvidenceVersionUnsupported}},
    {"quote_tee_type", {{"tdx.quote-tee-type"}, kEvidenceVersionUnsupported}},
    {"quote_att_key_type", {{"tdx.quote-att-key-type"}, kEvidenceVersionUnsupported}},
    {"quote_reserved", {{"tdx.quote-reserved"}, kEvidenceMalformed}},
    {"quote_qe_vendor", {{"tdx.quote-qe-vendor"}, kEvidenceMalformed}},
    {"quote_body_type", {{"tdx.quote-body-type"}, kEvidenceVersionUnsupported}},
    {"quote_sig_len", {{"tdx.quote-sig-len"}, kEvidenceMalformed}},
    {"quote_trailing", {{"tdx.quote-trailing"}, kEvidenceMalformed}},
    {"cert_data_type", {{"tdx.cert-data-type"}, kEvidenceVersionUnsupported}},
    {"pck_chain_malformed", {{"tdx.pck-chain-malformed"}, kEvidenceMalformed}},
    {"root_untrusted", {{"tdx.root-untrusted"}, kChainUntrusted}},
    {"chain_profile", {{"tdx.chain-profile"}, kCertificateMismatch}},
    {"chain_signature", {{"tdx.chain-signature"}, kChainUntrusted}},
    {"cert_not_yet_valid", {{"tdx.cert-not-yet-valid"}, kCertificateExpired}},
    {"cert_expired", {{"tdx.cert-expired"}, kCertificateExpired}},
    {"pck_ext", {{"tdx.pck-ext"}, kCertificateMismatch}},
    {"crl_issuer", {{"tdx.crl-issuer"}, kCollateralStale}},
    {"crl_signature", {{"tdx.crl-signature"}, kSignatureInvalid}},
    {"crl_stale", {{"tdx.crl-stale"}, kCollateralStale}},
    {"ca_revoked", {{"tdx.ca-revoked"}, kCertificateRevoked}},
    {"pck_revoked", {{"tdx.pck-revoked"}, kCertificateRevoked}},
    {"tcb_signer", {{"tdx.tcb-signer"}, kChainUntrusted}},
    {"tcb_signer_revoked", {{"tdx.tcb-signer-revoked"}, kCertificateRevoked}},
    {"json_duplicate_key", {{"tdx.json-duplicate-key"}, kEvidenceMalformed}},
    {"tcbinfo_signature", {{"tdx.tcbinfo-signature"}, kSignatureInvalid}},
    {"tcbinfo_future", {{"tdx.tcbinfo-future"}, kCollateralStale}},
    {"tcbinfo_stale", {{"tdx.tcbinfo-stale"}, kCollateralStale}},
    {"qeid_signature", {{"tdx.qeid-signature"}, kSignatureInvalid}},
    {"qeid_stale", {{"tdx.qeid-stale"}, kCollateralStale}},
    {"tcbinfo_mismatch", {{"tdx.tcbinfo-mismatch"}, kCertificateMismatch}},
    {"qeid_mismatch", {{"tdx.qeid-mismatch"}, kCertificateMismatch}},
    {"tcb_eval_rollback", {{"tdx.tcb-eval-rollback"}, kCollateralStale}},
    {"tcbinfo_format", {{"tdx.tcbinfo-format"}, kEvidenceMalformed}},
    {"qe_report_signature", {{"tdx.qe-report-signature"}, kSignatureInvalid}},
    {"qe_binding", {{"tdx.qe-binding"}, kSignatureInvalid}},
    {"qe_identity", {{"tdx.qe-identity"}, kChainUntrusted}},
    {"qe_debug", {{"tdx.qe-debug"}, kDebugEnabled}},
    {"quote_signature", {{"tdx.quote-signature"}, kSignatureInvalid}},
    {"tdx_module_unknown", {{"tdx.tdx-module-unknown"}, kTcbStatusNotAllowed}},
    {"tdx_module_identity", {{"tdx.tdx-module-identity"}, kPlatformNotAllowed}},
    {"tcb_not_supported", {{"tdx.tcb-not-supported"}, kTcbStatusNotAllowed}},
    {"tcb_revoked", {{"tdx.tcb-revoked"}, kTcbStatusNotAllowed}},
    {"tcb_status_not_allowed",
     {{"tdx.tcb-status-not-allowed", "tdx.tcb-status-unknown"}, kTcbStatusNotAllowed}},
    {"advisory_denied", {{"tdx.advisory-denied"}, kTcbStatusNotAllowed}},
    {"td_debug", {{"tdx.td-debug"}, kDebugEnabled}},
    {"td_attributes",
     {{"tdx.td-attributes-reserved", "tdx.td-attributes-must-set", "tdx.td-attributes-must-clear"},
      kGuestPolicyNotAllowed}},
    {"td_xfam", {{"tdx.td-xfam", "tdx.td-xfam-reserved"}, kGuestPolicyNotAllowed}},
    {"td_service", {{"tdx.td-service"}, kMigrationNotAllowed}},
    {"mrtd", {{"tdx.mrtd"}, kMeasurementNotAllowed}},
    {"mrseam", {{"tdx.mrseam"}, kMeasurementNotAllowed}},
    {"rtmr0", {{"tdx.rtmr0"}, kMeasurementNotAllowed}},
    {"rtmr1", {{"tdx.rtmr1"}, kMeasurementNotAllowed}},
    {"rtmr2", {{"tdx.rtmr2"}, kMeasurementNotAllowed}},
    {"rtmr3", {{"tdx.rtmr3"}, kMeasurementNotAllowed}},
    {"mrconfigid", {{"tdx.mrconfigid"}, kInitDataMismatch}},
    {"mrowner", {{"tdx.mrowner"}, kIdentityKeyNotAllowed}},
    {"mrownerconfig", {{"tdx.mrownerconfig"}, kIdentityKeyNotAllowed}},
    {"reportdata", {{"tdx.reportdata"}, kReportDataMismatch}},
};

const evidence::Finding* FirstRefusal(const evidence::ProofTree& tree) {
  const auto found =
      std::ranges::find(tree.findings, evidence::Outcome::kFailed, &evidence::Finding::outcome);
  return found == tree.findings.end() ? nullptr : &*found;
}

void ExpectVerdict(const Case& c) {
  SCOPED_TRACE(c.name + ", expected " + c.expect_reason);
  const evidence::Verification verification = c.Verify();
  SCOPED_TRACE(testing::PrintToString(Refusals(verification.tree)));
  if (c.expect_reason == "ok") {
    EXPECT_TRUE(verification.tree.allowed()) << codec::ToPrettyText(verification.tree.ToJson());
  } else {
    ASSERT_TRUE(kNames.contains(c.expect_reason));
    EXPECT_FALSE(verification.tree.allowed());
    const evidence::Finding* first = FirstRefusal(verification.tree);
    ASSERT_NE(first, nullptr);
    EXPECT_THAT(kNames.at(c.expect_reason).rows, testing::Contains(first->check_id)) << first->actual;
    EXPECT_EQ(first->reason, kNames.at(c.expect_reason).reason);
  }
  if (!c.expect_status.empty()) {
    const std::string status = c.expect_status == "TCB_NOT_SUPPORTED" ? "NotSupported" : c.expect_status;
    EXPECT_EQ(verification.claims.TextAt({"tcb", "status"}), status);
  }
  if (c.advisories) {
    std::set<std::string> seen;
    const codec::Json* list = verification.claims.At({"tcb", "advisories"});
    ASSERT_NE(list, nullptr);
    for (const codec::Json& item : *list->if_array()) seen.insert(*item.if_string());
    EXPECT_EQ(seen, *c.advisories);
  }
}

TEST(RealTdxQuotes, GetTheVerdictOfTheirManifest) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx");
  const auto cases = test::RealCases(root);
  EXPECT_EQ(cases.size(), 24u);
  for (const Case& c : cases) ExpectVerdict(c);
}

TEST(SyntheticTdxQuotes, GetTheVerdictOfTheirManifest) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx/synthetic");
  const auto cases = test::SyntheticCases(root.parent_path());
  EXPECT_EQ(cases.size(), 145u);
  for (const Case& c : cases) ExpectVerdict(c);
}

TEST(SyntheticTdxQuotes, AreNeverAllowedUnderIntelsRoot) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx/synthetic");
  for (Case& c : test::SyntheticCases(root.parent_path())) {
    SCOPED_TRACE(c.name);
    c.anchors = IntelTrustAnchors();
    const evidence::Verification verification = c.Verify();
    EXPECT_FALSE(verification.tree.allowed());
    const auto refusals = Refusals(verification.tree);
    if (!ParseQuote(c.evidence.quote)) continue;
    EXPECT_THAT(refusals.front(), testing::AnyOf("tdx.root-untrusted", "tdx.pck-chain-malformed"));
  }
}

TEST(RealTdxQuotes, ArePinnedToTheRootThatTheManifestNames) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx");
  for (const Case& c : test::RealCases(root)) EXPECT_EQ(c.anchors.root_spki, IntelTrustAnchors().root_spki);
}

// Intel's own demonstration set: a root of the same name with another key, a chain that is not PEM.
TEST(IntelsDemonstrationSet, IsRefused) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx/intel-sample");
  std::size_t quotes = 0;
  for (const auto& file : portcullis::test::FilesIn(root)) {
    const ByteBuffer bytes = test::ReadBytes(file);
    const auto quote = ParseQuote(bytes);
    if (!quote) continue;
    ++quotes;
    Case c = Named(test::RealCases(root.parent_path()), "phala-v4-uptodate");
    c.evidence.quote = bytes;
    EXPECT_THAT(Refusals(c.Verify().tree), testing::Contains("tdx.pck-chain-malformed")) << file;
  }
  EXPECT_GT(quotes, 0u);
}

}  // namespace
}  // namespace portcullis::tdx

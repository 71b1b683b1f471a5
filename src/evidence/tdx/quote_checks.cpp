#include "codec/text.h"
#include "evidence/tdx/chain_rows.h"
#include "evidence/tdx/text.h"

namespace portcullis::tdx {
namespace {

using enum ReasonCode;
using evidence::Check;
using evidence::Comparison;

constexpr std::byte kSgxDebug{0x02};  // ATTRIBUTES.FLAGS bit 1

Comparison QeReportSigned(const ChainSubject& s) {
  if (s.platform.chain == nullptr) return NothingToLookAt();
  const bool signed_by_pck = s.platform.qe_report_signed;
  return {signed_by_pck, "the QE's report signed by the PCK",
          signed_by_pck ? "as expected" : "does not verify"};
}

Comparison AttestationKeyBound(const ChainSubject& s) {
  const bool bound = s.platform.key_bound;
  return {bound, "SHA-256 of attestation key and QE authentication data, then zeros",
          bound ? "as expected" : codec::EncodeHex(s.quote.qe_report.report_data.bytes())};
}

Comparison QeIsIntels(const ChainSubject& s) {
  if (s.collateral == nullptr || !s.collateral->qe_identity.body) return NothingToLookAt();
  const bool matches = s.collateral->qe_identity.body->Matches(s.quote.qe_report);
  const QeReport& report = s.quote.qe_report;
  return {matches, "MRSIGNER, ISVPRODID, MISCSELECT and ATTRIBUTES of the QE identity",
          matches ? "as expected"
                  : codec::EncodeHex(report.mr_signer.bytes()) + ", " + std::to_string(report.isv_prod_id) +
                        ", " + HexNumber(report.misc_select) + ", " +
                        codec::EncodeHex(report.attributes.bytes())};
}

/// Whatever the identity's mask lets through.
Comparison QeDebugOff(const ChainSubject& s) {
  const bool debug = (s.quote.qe_report.attributes.array()[0] & kSgxDebug) != std::byte{0};
  return {!debug, "a QE without DEBUG", debug ? "DEBUG" : "as expected"};
}

Comparison QuoteSigned(const ChainSubject& s) {
  const auto& key = s.platform.attestation_key;
  if (!key) return {false, "a signature by the attestation key", "the key is no point of P-256"};
  const bool valid = key->Verify(s.quote.signed_part, s.quote.signature);
  return {valid, "a signature by the attestation key", valid ? "as expected" : "does not verify"};
}

constexpr Check<ChainSubject> kRows[] = {
    {"tdx.qe-report-signature", kSignatureInvalid, "DCAP quote API", QeReportSigned},
    {"tdx.qe-binding", kSignatureInvalid, "DCAP quote API", AttestationKeyBound},
    {"tdx.qe-identity", kChainUntrusted, "PCS API v4", QeIsIntels},
    {"tdx.qe-debug", kDebugEnabled, "Intel SDM", QeDebugOff},
    {"tdx.quote-signature", kSignatureInvalid, "DCAP quote API", QuoteSigned},
};

}  // namespace

std::span<const Check<ChainSubject>> QuoteChecks() { return kRows; }

}  // namespace portcullis::tdx

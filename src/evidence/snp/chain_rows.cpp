#include "evidence/snp/chain_rows.h"

#include <algorithm>

#include "codec/text.h"
#include "evidence/snp/text.h"

namespace portcullis::snp {
namespace {

using evidence::Comparison;

constexpr std::size_t kComponentSize = 48;  // significant bytes of R and S

Comparison SignatureAlgorithmKnown(const ChainSubject& s) {
  return {s.report.signature_algorithm == kEcdsaP384Sha384, "1 (ECDSA P-384 with SHA-384)",
          FromReport(std::to_string(s.report.signature_algorithm), "0x034")};
}

/// With a masked chip key firmware writes no signature at all, whatever SIGNING_KEY says.
Comparison SigningKeyKnown(const ChainSubject& s) {
  const KeyInfo& info = s.report.key_info;
  const std::string actual = std::to_string(info.signing_key()) + (info.chip_key_masked() ? ", masked" : "");
  return {s.kind.has_value() && !info.chip_key_masked(), "0 (VCEK) or 1 (VLEK), not masked",
          FromReport(actual, "0x048")};
}

Comparison CertificatePresent(const ChainSubject& s) {
  return {s.leaf != nullptr, "a certificate of SEV-" + std::string(NameOf(*s.kind)),
          s.leaf != nullptr ? "present" : "absent"};
}

Comparison CertificateProfile(const ChainSubject& s) {
  return {s.leaf->profile_fits, "a P-384 key, no basicConstraints, no unknown critical extension",
          s.leaf->profile_fits ? "as expected" : s.leaf->certificate.subject()};
}

Comparison CertificateExtensions(const ChainSubject& s) {
  return {s.leaf->extensions.has_value(), "AMD's attestation extensions",
          s.leaf->extensions ? "as expected" : s.leaf->extensions_defect};
}

Comparison ChainTrusted(const ChainSubject& s) {
  const std::string expected =
      "signed by " + IssuerName(*s.kind, s.report.product) + ", pinned under " + RootName(s.report.product);
  if (s.leaf->links_verified) return {true, expected, "as expected"};
  const bool pinned = s.anchors != nullptr;
  return {false, expected,
          pinned ? "does not verify; names " + s.leaf->certificate.issuer() : "no root for this product"};
}

Comparison CertificatesValid(const ChainSubject& s) {
  const crypto::Certificate& certificate = s.leaf->certificate;
  const bool anchors_valid =
      s.anchors != nullptr && IssuerOf(*s.kind, *s.anchors).ValidAt(s.now) && s.anchors->ark.ValidAt(s.now);
  return {anchors_valid && certificate.ValidAt(s.now), "the whole chain valid at " + FormatTimestamp(s.now),
          FormatTimestamp(certificate.not_before()) + " to " + FormatTimestamp(certificate.not_after())};
}

/// A VCEK speaks for a chip and a VLEK for a cloud provider; a certificate that does both, or the other, is
/// not of the kind that SIGNING_KEY names.
Comparison MatchesKind(const ChainSubject& s) {
  const bool has_hwid = s.leaf->extensions->hwid.has_value();
  const bool has_csp_id = s.leaf->extensions->csp_id.has_value();
  const bool vcek = *s.kind == KeyKind::kVcek;
  const auto describe = [](bool hwid, bool csp_id) {
    return std::string(hwid ? "hwID" : "no hwID") + ", " + (csp_id ? "cspID" : "no cspID");
  };
  return {has_hwid == vcek && has_csp_id != vcek, describe(vcek, !vcek), describe(has_hwid, has_csp_id)};
}

/// productName carries a stepping on Milan ("Milan-B0") and none elsewhere: it may add one, not contradict.
Comparison MatchesProduct(const ChainSubject& s) {
  const std::string_view wanted = NameOf(s.report.product);
  const std::string& name = s.leaf->extensions->product_name;
  const bool named = name == wanted || name.starts_with(std::string(wanted) + "-");
  const unsigned struct_version = s.report.product == Product::kTurin ? 1 : 0;
  return {named && s.leaf->extensions->struct_version == struct_version,
          std::string(wanted) + ", structure version " + std::to_string(struct_version),
          Quoted(name) + ", structure version " + std::to_string(s.leaf->extensions->struct_version)};
}

/// Equality, not a floor: the key was derived for exactly one TCB.
Comparison MatchesTcb(const ChainSubject& s) {
  return {s.leaf->extensions->tcb == s.report.reported_tcb,
          FromReport(TextOf(s.report.reported_tcb, s.report.product), "0x180"),
          TextOf(s.leaf->extensions->tcb, s.report.product)};
}

/// The chip id as the certificate's hardware id would be written: 64 bytes; Turin uses 8 and zeros.
bool HardwareIdIs(const ByteBuffer& hwid, const Report& report) {
  const std::size_t size = report.product == Product::kTurin ? 8 : ChipId::kSize;
  const Bytes chip = report.chip_id.bytes();
  return hwid.size() == size && SameBytes(hwid, chip.first(size)) &&
         std::ranges::all_of(chip.subspan(size), [](std::byte b) { return b == std::byte{0}; });
}

/// A chip id of zeros is masked: whether that will do is the policy's to say (snp.masked-chip-id).
Comparison MatchesChip(const ChainSubject& s) {
  const std::string chip = FromReport(codec::EncodeHex(s.report.chip_id.bytes()), "0x1A0");
  const auto& hwid = s.leaf->extensions->hwid;
  if (!hwid) return {*s.kind == KeyKind::kVlek, chip, "the certificate names no chip"};
  return {s.report.chip_id.IsZero() || HardwareIdIs(*hwid, s.report), chip, codec::EncodeHex(*hwid)};
}

std::array<std::byte, kComponentSize> BigEndian(const SignatureComponent& component) {
  std::array<std::byte, kComponentSize> out{};
  std::ranges::reverse_copy(component.bytes().first(kComponentSize), out.begin());
  return out;
}
bool FitsP384(const SignatureComponent& component) {
  const Bytes padding = component.bytes().subspan(kComponentSize);
  return std::ranges::all_of(padding, [](std::byte b) { return b == std::byte{0}; });
}

Comparison SignatureValid(const ChainSubject& s) {
  const Report& report = s.report;
  const bool valid = s.raw.size() == kReportSize && FitsP384(report.r) && FitsP384(report.s) &&
                     crypto::VerifyP384(s.leaf->certificate, s.raw.first(kSignedSize), BigEndian(report.r),
                                        BigEndian(report.s));
  return {valid, "a signature over report[0x000:0x2A0] by the certificate's key",
          FromReport(valid ? "verifies" : "does not verify", "0x2A0")};
}

using enum ReasonCode;
constexpr ChainRow kRows[] = {
    {ChainNeeds::kReport,
     {"snp.signature-algorithm", kSignatureInvalid, "AMD 56860, ATTESTATION_REPORT SIGNATURE_ALGO",
      SignatureAlgorithmKnown}},
    {ChainNeeds::kReport,
     {"snp.signing-key", kSignatureInvalid, "AMD 56860, ATTESTATION_REPORT SIGNING_KEY", SigningKeyKnown}},
    {ChainNeeds::kKind,
     {"snp.certificate-present", kEndorsementMissing, "AMD 57230, VCEK and VLEK", CertificatePresent}},
    {ChainNeeds::kLeaf,
     {"snp.certificate-profile", kCertificateMismatch, "AMD 57230, certificate format", CertificateProfile}},
    {ChainNeeds::kLeaf,
     {"snp.certificate-extensions", kCertificateMismatch, "AMD 57230, certificate extensions",
      CertificateExtensions}},
    {ChainNeeds::kLeaf, {"snp.chain-trusted", kChainUntrusted, "AMD 57230, certificate chain", ChainTrusted}},
    {ChainNeeds::kLeaf,
     {"snp.certificate-valid", kCertificateExpired, "RFC 5280, 4.1.2.5", CertificatesValid}},
    {ChainNeeds::kExtensions,
     {"snp.certificate-matches-kind", kCertificateMismatch, "AMD 57230, hwID and cspID", MatchesKind}},
    {ChainNeeds::kExtensions,
     {"snp.certificate-matches-product", kCertificateMismatch, "AMD 57230, productName", MatchesProduct}},
    {ChainNeeds::kExtensions,
     {"snp.certificate-matches-tcb", kCertificateMismatch, "AMD 57230, security patch levels", MatchesTcb}},
    {ChainNeeds::kExtensions,
     {"snp.certificate-matches-chip", kCertificateMismatch, "AMD 57230, hwID", MatchesChip}},
    {ChainNeeds::kLeaf,
     {"snp.signature-valid", kSignatureInvalid, "AMD 56860, ATTESTATION_REPORT SIGNATURE", SignatureValid}},
};

}  // namespace

std::span<const ChainRow> ChainRows() { return kRows; }

}  // namespace portcullis::snp

#include "endorsement/gate.h"

#include <algorithm>

#include "crypto/crl.h"
#include "endorsement/intel_gate.h"
#include "evidence/snp/leaf.h"

namespace portcullis::endorsement {
namespace {

Error NotAsNamed() {
  return Error{ReasonCode::kCertificateMismatch, "it is another document than was asked for"};
}

Result<const snp::ProductAnchors*> AnchorsOf(snp::Product product, const snp::TrustAnchors& anchors) {
  const snp::ProductAnchors* const found = anchors.For(product);
  if (found == nullptr) return Error{ReasonCode::kChainUntrusted, "no root is pinned for the product"};
  return found;
}

Result<Facts> ExamineVcek(const VcekId& id, Bytes der, const snp::TrustAnchors& anchors, WallTime now) {
  const snp::ProductAnchors* const product = TRY(AnchorsOf(id.product, anchors));
  const crypto::Certificate leaf = TRY(snp::ParseLeaf(der));
  const snp::ExaminedLeaf examined = snp::Examine(leaf, snp::KeyKind::kVcek, product);
  if (!examined.sound())
    return Error{ReasonCode::kChainUntrusted, "the certificate does not verify to AMD's root"};
  const auto& hwid = examined.extensions->hwid;
  const std::size_t size = HwidOf(id.product, id.chip).size() / 2;
  if (!hwid || !SameBytes(*hwid, id.chip.bytes().first(size)) || !(examined.extensions->tcb == id.tcb))
    return NotAsNamed();
  if (!leaf.ValidAt(now))
    return Error{ReasonCode::kCertificateExpired, "the certificate is outside its validity"};
  return Facts{leaf.not_before(), leaf.not_after(), std::nullopt, std::nullopt};
}

Result<Facts> ExamineAmdCrl(const AmdCrlId& id, Bytes der, const snp::TrustAnchors& anchors, WallTime now) {
  const snp::ProductAnchors* const product = TRY(AnchorsOf(id.product, anchors));
  const crypto::Crl crl = TRY(crypto::Crl::Parse(der));
  // The ARK alone issues it; the ASK may not sign lists (snp.md section 8).
  if (!crl.IsIssuedBy(product->ark)) return NotAsNamed();
  if (!crl.IsSignedBy_RsaPssSha384(product->ark))
    return Error{ReasonCode::kSignatureInvalid, "the revocation list is not signed by AMD's root"};
  if (!crl.CurrentAt(now))
    return Error{ReasonCode::kCollateralStale, "the revocation list is outside its window"};
  return Facts{crl.this_update(), crl.next_update(), std::nullopt, crl.size()};
}

}  // namespace

Result<Facts> Examine(const Document& document, const Anchors& anchors, WallTime now) {
  if (document.body.size() > kMaxDocumentBytes || document.chain.size() > kMaxChainBytes)
    return Error{ReasonCode::kEvidenceMalformed, "the document is larger than any such document"};
  if (const auto* vcek = std::get_if<VcekId>(&document.id))
    return ExamineVcek(*vcek, document.body, anchors.snp, now);
  if (const auto* crl = std::get_if<AmdCrlId>(&document.id))
    return ExamineAmdCrl(*crl, document.body, anchors.snp, now);
  return ExamineIntel(document, anchors.tdx, now);
}

Result<> RefuseOlder(const Facts& fresh, const Facts& accepted) {
  if (fresh.issued < accepted.issued)
    return Error{ReasonCode::kConflict, "it was issued before the one that was accepted",
                 FormatTimestamp(fresh.issued) + " < " + FormatTimestamp(accepted.issued)};
  if (fresh.evaluation_number < accepted.evaluation_number)
    return Error{ReasonCode::kConflict, "its evaluation number is below the accepted one",
                 std::to_string(fresh.evaluation_number.value_or(0)) + " < " +
                     std::to_string(accepted.evaluation_number.value_or(0))};
  return Done{};
}

WallTime WithinWindow(const Facts& claimed, WallTime now) {
  if (claimed.expires < claimed.issued) return now;
  return std::clamp(now, claimed.issued, claimed.expires);
}

}  // namespace portcullis::endorsement

#pragma once

#include "endorsement/document.h"
#include "evidence/snp/chain.h"
#include "evidence/tdx/checks.h"

/// What a document must pass before the store takes it, whoever brought it.
namespace portcullis::endorsement {

struct Anchors {
  const snp::TrustAnchors& snp;
  const tdx::TrustAnchors& tdx;
};

/// Its signature verifies to the pinned root, its form is right, it is the document that its id names, and
/// `now` is within its window. Errors: EvidenceMalformed, ChainUntrusted, CertificateExpired,
/// SignatureInvalid, CertificateMismatch (another document than its id), CollateralStale (outside its
/// window).
Result<Facts> Examine(const Document& document, const Anchors& anchors, WallTime now);

/// Never older than what was accepted: genuinely signed documents of yesterday hide what was revoked since.
/// Neither the issue time nor the evaluation number may fall. Error: Conflict.
Result<> RefuseOlder(const Facts& fresh, const Facts& accepted);

/// The time nearest to `now` in the window: documents that have aged are still held to their signatures.
WallTime WithinWindow(const Facts& claimed, WallTime now);

}  // namespace portcullis::endorsement

#pragma once

#include <string_view>

#include "evidence/tdx/checks.h"
#include "evidence/tdx/collateral.h"

namespace portcullis::tdx {

// The gate of whoever stores collateral: each document verified by itself, as Intel signs them apart. Errors
// of all: EvidenceMalformed (format, also where the document is another one), ChainUntrusted (the chain isn't
// one under the pinned root, or not of the certificates that sign such a document), CertificateExpired,
// SignatureInvalid, CollateralStale (issued later than `now`, or past its next update).
//
// `chain` is PEM, the signing certificate and then the root, as the issuer-chain headers say once decoded.

struct Window {
  WallTime issued, next_update;
  bool Holds(WallTime time) const { return issued <= time && time <= next_update; }
};

struct TcbInfoFacts {
  Fmspc fmspc;
  std::string id;  // "TDX"
  std::uint32_t evaluation_number;
  Window window;
};
struct QeIdentityFacts {
  std::string id;  // "TD_QE"
  std::uint32_t evaluation_number;
  Window window;
};
struct CrlFacts {
  std::string issuer;  // common name
  Window window;
  std::size_t listed;
};

Result<TcbInfoFacts> ExamineTcbInfo(Bytes body, std::string_view chain, const TrustAnchors& anchors,
                                    WallTime now);
Result<QeIdentityFacts> ExamineQeIdentity(Bytes body, std::string_view chain, const TrustAnchors& anchors,
                                          WallTime now);
/// `chain` is that of the PCK CA, of either kind.
Result<CrlFacts> ExaminePckCrl(Bytes der, std::string_view chain, const TrustAnchors& anchors, WallTime now);
/// The root's own list is served without a chain; any chain that ends in the root will do.
Result<CrlFacts> ExamineRootCrl(Bytes der, std::string_view chain, const TrustAnchors& anchors, WallTime now);

struct CollateralFacts {
  TcbInfoFacts tcb_info;
  QeIdentityFacts qe_identity;
  CrlFacts pck_crl, root_crl;
};
/// A whole set: each document as above, and no certificate that signed one listed in the root's list (error:
/// CertificateRevoked).
Result<CollateralFacts> ExamineCollateral(const CollateralBytes& bytes, const TrustAnchors& anchors,
                                          WallTime now);

}  // namespace portcullis::tdx

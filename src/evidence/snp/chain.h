#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "crypto/certificate.h"
#include "evidence/check.h"
#include "evidence/snp/endorsements.h"
#include "evidence/snp/report.h"

namespace portcullis::snp {

/// The certificates that AMD signs with, per product. The production set is embedded (AmdTrustAnchors); the
/// lab executables make another in their own main. There is no way to add one to a running process.
struct ProductAnchors {
  Product product;
  crypto::Certificate ark, ask, asvk;
};
struct TrustAnchors {
  std::vector<ProductAnchors> products;
  const ProductAnchors* For(Product product) const;
};
/// AMD's roots and intermediates, pinned in source and held to their SHA-256 pins when first used.
const TrustAnchors& AmdTrustAnchors();

/// The leaf's attestation extensions (snp.md section 6).
struct LeafExtensions {
  std::uint8_t struct_version;
  std::string product_name;
  Tcb tcb;
  std::optional<ByteBuffer> hwid;  // 64 bytes, Turin 8
  std::optional<std::string> csp_id;
};
/// Error: CertificateMismatch, naming the extension.
Result<LeafExtensions> ParseLeafExtensions(const crypto::Certificate& leaf);

/// A report whose signature, certificate and chain were verified. Only Authenticate() makes one.
class AuthenticReport {
 public:
  const Report& operator*() const { return report_; }
  const Report* operator->() const { return &report_; }
  const LeafExtensions& leaf() const { return leaf_; }
  const crypto::Certificate& certificate() const { return certificate_; }
  KeyKind key_kind() const { return key_kind_; }

 private:
  AuthenticReport(Report report, LeafExtensions leaf, crypto::Certificate certificate, KeyKind kind)
      : report_(std::move(report)),
        leaf_(std::move(leaf)),
        certificate_(std::move(certificate)),
        key_kind_(kind) {}
  friend struct Authenticator;
  Report report_;
  LeafExtensions leaf_;
  crypto::Certificate certificate_;
  KeyKind key_kind_;
};

/// Verifies who signed the report, in the table of chain checks ("snp.certificate-present",
/// "snp.chain-trusted", "snp.certificate-valid", "snp.certificate-matches-…", "snp.signature-valid", …; ids
/// in chain_rows.cpp); all rows go to `tree`. `certificates` are what came along or what the cache holds, in
/// any order: the leaf is found by kind (SIGNING_KEY) among them, roots and intermediates among them are
/// ignored. Where no leaf of the kind and for this chip and TCB came along, `endorsements` (null: none) is
/// asked for the VCEK of the report's chip and TCB. `raw` are the bytes that `report` was parsed from.
/// nullopt where a row failed.
std::optional<AuthenticReport> Authenticate(const Report& report, Bytes raw,
                                            std::span<const crypto::Certificate> certificates,
                                            const EndorsementSource* endorsements,
                                            const TrustAnchors& anchors, WallTime now,
                                            evidence::ProofTree& tree);

/// The ids of the rows above, with reason and source: for docs and golden tests.
std::vector<evidence::Finding> ChainCheckRows();

/// Certificate::Parse() for a VCEK or VLEK; one that proved sound before is not parsed anew. Error:
/// EvidenceMalformed.
Result<crypto::Certificate> ParseLeaf(Bytes der);

/// The VCEK or VLEK in the certificate table of an extended report (GHCB; configfs-tsm auxblob): {GUID,
/// offset, length} entries up to an all-zero one. At most 16 entries and 64 KiB. Roots, intermediates and
/// what else a host puts there are skipped: they are never trusted for being there. Error: EvidenceMalformed.
Result<std::vector<crypto::Certificate>> ParseCertificateTable(Bytes table);

}  // namespace portcullis::snp

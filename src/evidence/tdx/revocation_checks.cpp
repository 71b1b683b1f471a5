#include "evidence/tdx/chain_rows.h"

namespace portcullis::tdx {
namespace {

using enum ReasonCode;
using evidence::Check;
using evidence::Comparison;

/// The lists and the chain that they are about; null where something is missing.
const Collateral::Impl* WithLists(const ChainSubject& s) {
  const bool there = s.collateral != nullptr && s.platform.chain != nullptr && s.collateral->pck_crl.list() &&
                     s.collateral->root_crl.list();
  return there ? s.collateral : nullptr;
}

/// Only for a platform of Intel's is there any to look for.
Comparison CollateralThere(const ChainSubject& s) {
  if (!s.platform.CertifiedUnder(s.anchors.root_spki)) return NothingToLookAt();
  const bool there = s.collateral != nullptr;
  return {there, "TCB info, QE identity and revocation lists for this FMSPC and CA",
          there ? "as expected" : (s.collateral_incomplete ? "not all of it" : "none")};
}

Comparison ListsOfTheirAuthorities(const ChainSubject& s) {
  if (s.collateral == nullptr || s.platform.chain == nullptr) return NothingToLookAt();
  constexpr auto kExpected = "a list of the PCK's CA and one of the root";
  for (const ExaminedCrl* crl : {&s.collateral->pck_crl, &s.collateral->root_crl})
    if (!crl->list()) return {false, kExpected, crl->defect()};
  const auto &pck = *s.collateral->pck_crl.list(), &root = *s.collateral->root_crl.list();
  const bool theirs = pck.IsIssuedBy(s.platform.chain->authority) && root.IsIssuedBy(s.platform.chain->root);
  return {theirs, kExpected,
          theirs ? "as expected"
                 : Quoted(pck.issuer_common_name()) + " and " + Quoted(root.issuer_common_name())};
}

Comparison ListsSigned(const ChainSubject& s) {
  const auto* collateral = WithLists(s);
  if (collateral == nullptr) return NothingToLookAt();
  const bool verify = collateral->pck_crl.SignedBy(s.platform.chain->authority) &&
                      collateral->root_crl.SignedBy(s.platform.chain->root);
  return {verify, "each signed by its authority", verify ? "as expected" : "does not verify"};
}

std::string WindowText(const crypto::Crl& list) {
  return FormatTimestamp(list.this_update()) + " to " + FormatTimestamp(list.next_update());
}

Comparison ListsCurrent(const ChainSubject& s) {
  const auto* collateral = WithLists(s);
  if (collateral == nullptr) return NothingToLookAt();
  const auto &pck = *collateral->pck_crl.list(), &root = *collateral->root_crl.list();
  return {pck.CurrentAt(s.now) && root.CurrentAt(s.now), "both current at " + FormatTimestamp(s.now),
          WindowText(pck) + ", " + WindowText(root)};
}

Comparison AuthorityNotRevoked(const ChainSubject& s) {
  const auto* collateral = WithLists(s);
  if (collateral == nullptr) return NothingToLookAt();
  const bool listed = collateral->root_crl.list()->Lists(s.platform.chain->authority);
  return {!listed, "the PCK CA not in the root's list", listed ? "listed" : "as expected"};
}

Comparison PckNotRevoked(const ChainSubject& s) {
  const auto* collateral = WithLists(s);
  if (collateral == nullptr) return NothingToLookAt();
  const bool listed = collateral->pck_crl.list()->Lists(s.platform.chain->pck);
  return {!listed, "the PCK not in its CA's list", listed ? "listed" : "as expected"};
}

bool SignerTrusted(const SignerChain& chain, const TrustAnchors& anchors) {
  return chain.sound && chain.root->spki_fingerprint() == anchors.root_spki;
}

Comparison TcbSignersTrusted(const ChainSubject& s) {
  if (s.collateral == nullptr) return NothingToLookAt();
  for (const SignerChain* chain : {&s.collateral->tcb_info_chain, &s.collateral->qe_identity_chain})
    if (!SignerTrusted(*chain, s.anchors))
      return {false, "TCB Signing certificates under the pinned root",
              chain->defect.empty() ? "under another root" : chain->defect};
  return {true, "TCB Signing certificates under the pinned root", "as expected"};
}

Comparison TcbSignersNotRevoked(const ChainSubject& s) {
  if (s.collateral == nullptr || !s.collateral->root_crl.list() || !s.collateral->tcb_info_chain.signer ||
      !s.collateral->qe_identity_chain.signer)
    return NothingToLookAt();
  const auto& list = *s.collateral->root_crl.list();
  const bool listed =
      list.Lists(*s.collateral->tcb_info_chain.signer) || list.Lists(*s.collateral->qe_identity_chain.signer);
  return {!listed, "no TCB Signing certificate in the root's list", listed ? "listed" : "as expected"};
}

constexpr Check<ChainSubject> kRows[] = {
    {"tdx.collateral-missing", kCollateralStale, "PCS API v4", CollateralThere},
    {"tdx.crl-issuer", kCollateralStale, "RFC 5280, 6.3.3", ListsOfTheirAuthorities},
    {"tdx.crl-signature", kSignatureInvalid, "RFC 5280, 6.3.3", ListsSigned},
    {"tdx.crl-stale", kCollateralStale, "RFC 5280, 5.1.2.5", ListsCurrent},
    {"tdx.ca-revoked", kCertificateRevoked, "RFC 5280, 6.3.3", AuthorityNotRevoked},
    {"tdx.pck-revoked", kCertificateRevoked, "RFC 5280, 6.3.3", PckNotRevoked},
    {"tdx.tcb-signer", kChainUntrusted, "PCS API v4", TcbSignersTrusted},
    {"tdx.tcb-signer-revoked", kCertificateRevoked, "RFC 5280, 6.3.3", TcbSignersNotRevoked},
};

}  // namespace

std::span<const Check<ChainSubject>> RevocationChecks() { return kRows; }

}  // namespace portcullis::tdx

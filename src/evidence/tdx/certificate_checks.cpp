#include <algorithm>

#include "evidence/tdx/chain_rows.h"
#include "evidence/tdx/text.h"

namespace portcullis::tdx {
namespace {

using enum ReasonCode;
using evidence::Check;
using evidence::Comparison;

const ExaminedChain* ChainOf(const ChainSubject& s) { return s.platform.chain.get(); }

Comparison ChainWellFormed(const ChainSubject& s) {
  return {ChainOf(s) != nullptr, "three certificates in PEM",
          ChainOf(s) != nullptr ? "as expected" : s.platform.chain_defect};
}

Comparison RootTrusted(const ChainSubject& s) {
  if (ChainOf(s) == nullptr) return NothingToLookAt();
  const bool pinned = ChainOf(s)->root.spki_fingerprint() == s.anchors.root_spki;
  return {pinned, "the pinned root key",
          pinned ? "as expected" : DigestText(ChainOf(s)->root.spki_fingerprint())};
}

Comparison ChainProfile(const ChainSubject& s) {
  if (ChainOf(s) == nullptr) return NothingToLookAt();
  const bool fits = ChainOf(s)->profile_fits;
  return {fits, "PCK, PCK CA and root of Intel's profile",
          fits ? "as expected"
               : ChainOf(s)->pck.subject() + " under " + ChainOf(s)->authority.subject() + " under " +
                     ChainOf(s)->root.subject()};
}

Comparison ChainSignatures(const ChainSubject& s) {
  if (ChainOf(s) == nullptr) return NothingToLookAt();
  const bool verify = ChainOf(s)->signatures_verify;
  return {verify, "each signed by the next", verify ? "as expected" : "does not verify"};
}

/// Every certificate that the appraisal rests on, those of the collateral too.
template <typename Look>
void ForEachCertificate(const ChainSubject& s, Look look) {
  look(ChainOf(s)->pck);
  look(ChainOf(s)->authority);
  look(ChainOf(s)->root);
  if (s.collateral == nullptr) return;
  for (const SignerChain* chain : {&s.collateral->tcb_info_chain, &s.collateral->qe_identity_chain}) {
    if (!chain->signer) continue;
    look(*chain->signer);
    look(*chain->root);
  }
}

Comparison NoneTooYoung(const ChainSubject& s) {
  if (ChainOf(s) == nullptr) return NothingToLookAt();
  WallTime latest = WallTime::min();
  ForEachCertificate(s, [&](const auto& c) { latest = std::max(latest, c.not_before()); });
  return {latest <= s.now, "all valid from " + FormatTimestamp(s.now) + " at the latest",
          FormatTimestamp(latest)};
}

Comparison NoneExpired(const ChainSubject& s) {
  if (ChainOf(s) == nullptr) return NothingToLookAt();
  WallTime earliest = WallTime::max();
  ForEachCertificate(s, [&](const auto& c) { earliest = std::min(earliest, c.not_after()); });
  return {s.now <= earliest, "all valid to " + FormatTimestamp(s.now) + " at least",
          FormatTimestamp(earliest)};
}

Comparison PckExtensionReadable(const ChainSubject& s) {
  if (ChainOf(s) == nullptr) return NothingToLookAt();
  return {ChainOf(s)->extension.has_value(), "Intel's SGX extension",
          ChainOf(s)->extension ? "as expected" : ChainOf(s)->extension_defect};
}

constexpr Check<ChainSubject> kRows[] = {
    {"tdx.pck-chain-malformed", kEvidenceMalformed, "DCAP quote API", ChainWellFormed},
    {"tdx.root-untrusted", kChainUntrusted, "SGX PCK profile", RootTrusted},
    {"tdx.chain-profile", kCertificateMismatch, "SGX PCK profile", ChainProfile},
    {"tdx.chain-signature", kChainUntrusted, "RFC 5280, 4.1.1.3", ChainSignatures},
    {"tdx.cert-not-yet-valid", kCertificateExpired, "RFC 5280, 4.1.2.5", NoneTooYoung},
    {"tdx.cert-expired", kCertificateExpired, "RFC 5280, 4.1.2.5", NoneExpired},
    {"tdx.pck-ext", kCertificateMismatch, "SGX PCK profile", PckExtensionReadable},
};

}  // namespace

std::span<const Check<ChainSubject>> CertificateChecks() { return kRows; }

}  // namespace portcullis::tdx

#pragma once

#include <memory>
#include <optional>
#include <string>

#include "crypto/certificate.h"
#include "crypto/ecdsa_verifier.h"
#include "evidence/tdx/certificates.h"
#include "evidence/tdx/pck_extension.h"
#include "evidence/tdx/quote.h"

namespace portcullis::tdx {

/// What holds for the PCK chain of a quote whatever time it is and whichever root is pinned.
struct ExaminedChain {
  crypto::Certificate pck, authority, root;
  std::optional<PckCa> ca;  // by the authority's name
  bool profile_fits;        // names, keys, constraints and usages of all three
  bool signatures_verify;   // PCK by CA by root by itself
  std::optional<PckExtension> extension;
  std::string extension_defect;  // why there is none

  bool sound() const { return ca && profile_fits && signatures_verify && extension; }
};

/// The same of the whole part of a quote that its platform keeps.
struct ExaminedPlatform {
  std::shared_ptr<const ExaminedChain> chain;  // null where it did not parse
  std::string chain_defect;                    // why not
  bool qe_report_signed;                       // by the PCK
  bool key_bound;  // the QE's report data is the hash of attestation key and auth data
  std::optional<crypto::EcdsaVerifier> attestation_key;  // nullopt where it is no point of the curve

  /// Whether the chain is what it should be, up to this root key. Dates and revocation are not looked at.
  bool CertifiedUnder(const crypto::Sha256Digest& root_spki) const {
    return chain != nullptr && chain->sound() && chain->root.spki_fingerprint() == root_spki;
  }
  bool sound() const {
    return chain != nullptr && chain->sound() && qe_report_signed && key_bound && attestation_key;
  }
};

/// What is known of the platform of a quote: from memory where all of it proved sound before under this root,
/// else by examining it. Nobody without the root's signature can fill the memory.
std::shared_ptr<const ExaminedPlatform> KnownPlatform(const Quote& quote,
                                                      const crypto::Sha256Digest& root_spki);

}  // namespace portcullis::tdx

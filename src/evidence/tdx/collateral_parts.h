#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "crypto/crl.h"
#include "evidence/tdx/collateral.h"
#include "evidence/tdx/qe_identity.h"
#include "evidence/tdx/signed_document.h"
#include "evidence/tdx/tcb_info.h"

namespace portcullis::tdx {

/// TCB Signing certificate and root, as an issuer-chain header brings them.
struct SignerChain {
  std::optional<crypto::Certificate> signer, root;  // both or none
  bool sound = false;                               // names, profile, signer by root by itself
  std::string defect;                               // why not
};
SignerChain ExamineSigner(std::string_view pem);

/// One of the two JSON documents, as far as it could be read.
template <typename Body>
struct ExaminedDocument {
  std::optional<DocumentError> defect;  // the text is no signed document
  bool signature_verifies = false;      // by its chain's first certificate
  DocumentHead head;
  std::optional<Body> body;
  std::string body_defect;  // why there is none
  crypto::Sha256Digest digest;
};
using ExaminedTcbInfo = ExaminedDocument<TcbInfo>;
using ExaminedQeIdentity = ExaminedDocument<QeIdentity>;

ExaminedTcbInfo ExamineTcbInfoText(std::string_view text, const SignerChain& chain, TcbInfoTarget& target);
ExaminedQeIdentity ExamineQeIdentityText(std::string_view text, const SignerChain& chain);

/// A revocation list, and by which authorities it was found to be signed: that is asked for each quote, and
/// verified once for each authority.
class ExaminedCrl {
 public:
  explicit ExaminedCrl(Bytes der);

  const std::optional<crypto::Crl>& list() const { return list_; }
  const std::string& defect() const { return defect_; }  // why there is none
  bool SignedBy(const crypto::Certificate& authority) const;

 private:
  static constexpr std::size_t kMaxRemembered = 8;  // there are three authorities
  std::optional<crypto::Crl> list_;
  std::string defect_;
  mutable std::mutex mutex_;
  mutable std::set<crypto::Sha256Digest> signed_by_;
};

/// What collateral.h hides.
struct Collateral::Impl {
  explicit Impl(CollateralBytes from);

  CollateralBytes bytes;
  SignerChain tcb_info_chain, qe_identity_chain;
  TcbInfoTarget target;
  ExaminedTcbInfo tcb_info;
  ExaminedQeIdentity qe_identity;
  ExaminedCrl pck_crl, root_crl;

  bool complete() const;  // every document is there, whatever is in it
};

}  // namespace portcullis::tdx

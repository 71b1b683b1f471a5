#include "evidence/tdx/collateral.h"

#include "evidence/tdx/certificates.h"
#include "evidence/tdx/collateral_parts.h"

namespace portcullis::tdx {
namespace {

constexpr std::size_t kSignerChainLength = 2;

template <typename Body, typename Read>
ExaminedDocument<Body> Examine(std::string_view text, std::string_view member, const SignerChain& chain,
                               Read read) {
  ExaminedDocument<Body> out;
  out.digest = crypto::Sha256(AsBytes(text));
  const auto cut = CutDocument(text, member);
  if (const auto* error = std::get_if<DocumentError>(&cut)) {
    out.defect = *error;
    return out;
  }
  const auto& document = std::get<SignedDocument>(cut);
  const auto key = chain.signer ? chain.signer->ec_key() : std::nullopt;
  out.signature_verifies = key && DocumentSignedBy(document, *key);
  // What was signed is what is read: the object's own text, not what the whole was parsed to.
  const auto object = codec::ParseJson(document.object);
  if (!object) {
    out.body_defect = object.error().ToString();
    return out;
  }
  out.head = ReadDocumentHead(*object);
  auto body = read(*object);
  if (body)
    out.body = std::move(body).value();
  else
    out.body_defect = body.error().ToString();
  return out;
}

}  // namespace

SignerChain ExamineSigner(std::string_view pem) {
  SignerChain out;
  const auto certificates = ParseChain(AsBytes(pem), kSignerChainLength);
  if (!certificates) {
    out.defect = certificates.error().ToString();
    return out;
  }
  const crypto::Certificate &signer = certificates->front(), &root = certificates->back();
  const bool fits = signer.subject_common_name() == kTcbSigningName &&
                    root.subject_common_name() == kRootName && FitsProfile(signer, Role::kEndEntity) &&
                    FitsProfile(root, Role::kRoot);
  out.sound = fits && signer.IsSignedBy_Ecdsa(root) && IsSelfSigned(root);
  if (!out.sound) out.defect = (fits ? "does not verify: " : "is another certificate: ") + signer.subject();
  out.signer = signer;
  out.root = root;
  return out;
}

ExaminedTcbInfo ExamineTcbInfoText(std::string_view text, const SignerChain& chain, TcbInfoTarget& target) {
  return Examine<TcbInfo>(text, "tcbInfo", chain, [&](const codec::Json& object) {
    target = ReadTcbInfoTarget(object);
    return ReadTcbInfo(object);
  });
}

ExaminedQeIdentity ExamineQeIdentityText(std::string_view text, const SignerChain& chain) {
  return Examine<QeIdentity>(text, "enclaveIdentity", chain, ReadQeIdentity);
}

ExaminedCrl::ExaminedCrl(Bytes der) {
  auto list = crypto::Crl::Parse(der);
  if (list)
    list_ = std::move(list).value();
  else
    defect_ = list.error().ToString();
}

bool ExaminedCrl::SignedBy(const crypto::Certificate& authority) const {
  if (!list_) return false;
  const crypto::Sha256Digest name = authority.fingerprint();
  {
    const std::scoped_lock lock(mutex_);
    if (signed_by_.contains(name)) return true;
  }
  if (!list_->IsSignedBy_Ecdsa(authority)) return false;
  const std::scoped_lock lock(mutex_);
  if (signed_by_.size() < kMaxRemembered) signed_by_.insert(name);
  return true;
}

Collateral::Impl::Impl(CollateralBytes from)
    : bytes(std::move(from)),
      tcb_info_chain(ExamineSigner(bytes.tcb_info_chain)),
      qe_identity_chain(bytes.qe_identity_chain == bytes.tcb_info_chain
                            ? tcb_info_chain
                            : ExamineSigner(bytes.qe_identity_chain)),
      tcb_info(ExamineTcbInfoText(AsText(bytes.tcb_info), tcb_info_chain, target)),
      qe_identity(ExamineQeIdentityText(AsText(bytes.qe_identity), qe_identity_chain)),
      pck_crl(bytes.pck_crl),
      root_crl(bytes.root_crl) {}

bool Collateral::Impl::complete() const {
  return !bytes.tcb_info.empty() && !bytes.qe_identity.empty() && !bytes.tcb_info_chain.empty() &&
         !bytes.qe_identity_chain.empty() && !bytes.pck_crl.empty() && !bytes.root_crl.empty();
}

std::shared_ptr<const Collateral> Collateral::Of(CollateralBytes bytes) {
  return std::make_shared<const Collateral>(std::make_shared<const Impl>(std::move(bytes)));
}

const CollateralBytes& Collateral::bytes() const { return impl_->bytes; }

}  // namespace portcullis::tdx

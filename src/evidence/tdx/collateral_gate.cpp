#include "evidence/tdx/collateral_gate.h"

#include "evidence/tdx/certificates.h"
#include "evidence/tdx/collateral_parts.h"

namespace portcullis::tdx {
namespace {

using enum ReasonCode;

constexpr std::string_view kTdxId = "TDX", kTdQeId = "TD_QE";
constexpr std::uint32_t kTcbInfoVersion = 3, kQeIdentityVersion = 2, kTcbType = 0;

Error Malformed(StaticText text, std::string where) {
  return Error{kEvidenceMalformed, text, std::move(where)};
}

Result<> CheckWindow(const Window& window, WallTime now) {
  if (now < window.issued) return Error{kCollateralStale, "document is issued later than now"};
  if (now > window.next_update) return Error{kCollateralStale, "document is past its next update"};
  return Done{};
}

Result<> CheckValidity(std::initializer_list<const crypto::Certificate*> chain, WallTime now) {
  for (const crypto::Certificate* certificate : chain)
    if (!certificate->ValidAt(now))
      return Error{kCertificateExpired, "certificate of the chain is outside its validity",
                   certificate->subject()};
  return Done{};
}

bool IsPinned(const crypto::Certificate& root, const TrustAnchors& anchors) {
  return root.spki_fingerprint() == anchors.root_spki;
}

Result<SignerChain> TrustedSigner(std::string_view pem, const TrustAnchors& anchors, WallTime now) {
  SignerChain chain = ExamineSigner(pem);
  if (!chain.sound)
    return Error{kChainUntrusted, "chain is not a TCB Signing certificate and its root", chain.defect};
  if (!IsPinned(*chain.root, anchors)) return Error{kChainUntrusted, "chain ends in another root"};
  TRY(CheckValidity({&*chain.signer, &*chain.root}, now));
  return chain;
}

/// What both documents must be; the number and the window that the gate's caller keeps.
template <typename Document>
Result<Window> CheckDocument(const Document& document, std::string_view id, std::uint32_t version,
                             WallTime now) {
  if (document.defect) return document.defect->error;
  if (!document.signature_verifies) return Error{kSignatureInvalid, "document is not signed by its chain"};
  const DocumentHead& head = document.head;
  if (head.id != id || head.version != version)
    return Malformed("document is another one than was asked for", Quoted(head.id));
  if (!document.body) return Malformed("document lacks what its version demands", document.body_defect);
  if (!head.issued || !head.next_update || !head.evaluation_number)
    return Malformed("document lacks a date or number", {});
  const Window window{*head.issued, *head.next_update};
  TRY(CheckWindow(window, now));
  return window;
}

Result<crypto::Crl> CurrentList(Bytes der, const crypto::Certificate& authority, WallTime now) {
  auto list = TRY(crypto::Crl::Parse(der));
  if (!list.IsIssuedBy(authority))
    return Error{kChainUntrusted, "list is of another authority", Quoted(list.issuer_common_name())};
  if (!list.IsSignedBy_Ecdsa(authority))
    return Error{kSignatureInvalid, "list is not signed by its authority"};
  TRY(CheckWindow({list.this_update(), list.next_update()}, now));
  return list;
}

CrlFacts FactsOf(const crypto::Crl& list) {
  return {list.issuer_common_name(), {list.this_update(), list.next_update()}, list.size()};
}

/// The CA and root of a PCK CA's chain.
Result<std::vector<crypto::Certificate>> TrustedAuthority(std::string_view pem, const TrustAnchors& anchors,
                                                          WallTime now) {
  auto chain = TRY(ParseChain(AsBytes(pem), 2));
  const crypto::Certificate &authority = chain[0], &root = chain[1];
  const bool fits = PckCaNamed(authority.subject_common_name()) && root.subject_common_name() == kRootName &&
                    FitsProfile(authority, Role::kAuthority) && FitsProfile(root, Role::kRoot);
  if (!fits || !IsPinned(root, anchors) || !authority.IsSignedBy_Ecdsa(root) || !IsSelfSigned(root))
    return Error{kChainUntrusted, "chain is not a PCK CA under the pinned root"};
  TRY(CheckValidity({&authority, &root}, now));
  return chain;
}

/// The root at the end of any chain.
Result<crypto::Certificate> TrustedRoot(std::string_view pem, const TrustAnchors& anchors, WallTime now) {
  auto chain = TRY(ParseChain(AsBytes(pem), 2));
  const crypto::Certificate& root = chain.back();
  if (!IsPinned(root, anchors) || root.subject_common_name() != kRootName ||
      !FitsProfile(root, Role::kRoot) || !IsSelfSigned(root))
    return Error{kChainUntrusted, "chain does not end in the pinned root"};
  TRY(CheckValidity({&root}, now));
  return root;
}

Result<> CheckNotListed(Bytes root_crl, std::string_view pem) {
  const auto list = TRY(crypto::Crl::Parse(root_crl));
  const auto chain = TRY(ParseChain(AsBytes(pem), 2));
  if (list.Lists(chain.front()))
    return Error{kCertificateRevoked, "the root's list has a signing certificate", chain.front().subject()};
  return Done{};
}

}  // namespace

Result<TcbInfoFacts> ExamineTcbInfo(Bytes body, std::string_view chain, const TrustAnchors& anchors,
                                    WallTime now) {
  const SignerChain signer = TRY(TrustedSigner(chain, anchors, now));
  TcbInfoTarget target;
  const ExaminedTcbInfo document = ExamineTcbInfoText(AsText(body), signer, target);
  const Window window = TRY(CheckDocument(document, kTdxId, kTcbInfoVersion, now));
  if (target.tcb_type != kTcbType) return Malformed("TCB info is of another type", {});
  return TcbInfoFacts{document.body->fmspc, document.head.id, *document.head.evaluation_number, window};
}

Result<QeIdentityFacts> ExamineQeIdentity(Bytes body, std::string_view chain, const TrustAnchors& anchors,
                                          WallTime now) {
  const SignerChain signer = TRY(TrustedSigner(chain, anchors, now));
  const ExaminedQeIdentity document = ExamineQeIdentityText(AsText(body), signer);
  const Window window = TRY(CheckDocument(document, kTdQeId, kQeIdentityVersion, now));
  return QeIdentityFacts{document.head.id, *document.head.evaluation_number, window};
}

Result<CrlFacts> ExaminePckCrl(Bytes der, std::string_view chain, const TrustAnchors& anchors, WallTime now) {
  const auto authority = TRY(TrustedAuthority(chain, anchors, now));
  return FactsOf(TRY(CurrentList(der, authority.front(), now)));
}

Result<CrlFacts> ExamineRootCrl(Bytes der, std::string_view chain, const TrustAnchors& anchors,
                                WallTime now) {
  const crypto::Certificate root = TRY(TrustedRoot(chain, anchors, now));
  return FactsOf(TRY(CurrentList(der, root, now)));
}

Result<CollateralFacts> ExamineCollateral(const CollateralBytes& bytes, const TrustAnchors& anchors,
                                          WallTime now) {
  auto tcb_info = TRY_AT("tcbInfo", ExamineTcbInfo(bytes.tcb_info, bytes.tcb_info_chain, anchors, now));
  auto qe_identity =
      TRY_AT("qeIdentity", ExamineQeIdentity(bytes.qe_identity, bytes.qe_identity_chain, anchors, now));
  auto pck_crl = TRY_AT("pckCrl", ExaminePckCrl(bytes.pck_crl, bytes.pck_crl_chain, anchors, now));
  auto root_crl = TRY_AT("rootCrl", ExamineRootCrl(bytes.root_crl, bytes.tcb_info_chain, anchors, now));
  for (const std::string* chain : {&bytes.tcb_info_chain, &bytes.qe_identity_chain, &bytes.pck_crl_chain})
    TRY(CheckNotListed(bytes.root_crl, *chain));
  return CollateralFacts{std::move(tcb_info), std::move(qe_identity), std::move(pck_crl),
                         std::move(root_crl)};
}

}  // namespace portcullis::tdx

#include "endorsement/folder.h"

#include <tuple>

#include "endorsement/issuer_chain.h"

namespace portcullis::endorsement {
namespace {

/// The chain for a document that verifies under none: one of its kind, so that the appraisal names what is
/// wrong with the document and not with a stranger's chain.
std::string LikelyChain(const Id& id, const std::vector<std::string>& chains, WallTime at) {
  constexpr std::string_view kSigner = "TCB Signing";
  const bool of_signer = std::holds_alternative<TcbInfoId>(id) || std::holds_alternative<QeIdentityId>(id);
  std::string likely;
  for (const std::string& chain : chains) {
    const auto certificates = CertificatesOf(chain);
    if (!certificates || certificates->empty()) continue;
    const crypto::Certificate& leaf = certificates->front();
    const bool is_signer = leaf.subject_common_name().find(kSigner) != std::string::npos;
    if (is_signer != of_signer) continue;
    if (leaf.ValidAt(at)) return chain;
    likely = chain;
  }
  return likely;
}

bool Holds(const Facts& facts, WallTime at) { return facts.issued <= at && at <= facts.expires; }

}  // namespace

std::optional<Claimed> ForEarlySet(const Piece& piece) {
  if (piece.names_its_set) return std::nullopt;
  Claimed early = piece.claimed;
  if (auto* info = std::get_if<TcbInfoId>(&early.id))
    info->set = tdx::EvaluationSet::kEarly;
  else if (auto* qe = std::get_if<QeIdentityId>(&early.id))
    qe->set = tdx::EvaluationSet::kEarly;
  else
    return std::nullopt;
  return early;
}

Result<std::unique_ptr<Folder>> Folder::Read(const std::string& directory, const Anchors& anchors,
                                             WallTime at) {
  const Contents contents = TRY(ReadContents(directory, tdx::EvaluationSet::kStandard));
  auto folder = std::make_unique<Folder>();
  for (const Piece& piece : contents.pieces) {
    folder->Consider(piece.claimed, contents, anchors, at);
    if (const auto early = ForEarlySet(piece)) folder->Consider(*early, contents, anchors, at);
  }
  return folder;
}

void Folder::Consider(const Claimed& piece, const Contents& contents, const Anchors& anchors, WallTime at) {
  const std::string key = PathOf(piece.id);
  const auto rank = [at](const Facts& facts) { return std::tuple(Holds(facts, at), facts.issued); };
  const auto rival = chosen_.find(key);
  if (rival != chosen_.end() && rank(rival->second.facts) >= rank(piece.facts)) return;
  Document document{piece.id, piece.body, {}};
  if (IsIntel(piece.id)) {
    auto verified = Verify(piece, contents.chains, anchors, at);
    document.chain =
        verified ? std::move(verified->document.chain) : LikelyChain(piece.id, contents.chains, at);
  }
  chosen_.insert_or_assign(key, Chosen{std::move(document), piece.facts});
}

const Document* Folder::Look(const Id& id) const {
  const auto found = chosen_.find(PathOf(id));
  return found == chosen_.end() ? nullptr : &found->second.document;
}

std::optional<crypto::Certificate> Folder::FindVcek(snp::Product product, const snp::ChipId& chip,
                                                    const snp::Tcb& tcb) const {
  const Document* const vcek = Look(VcekId{product, chip, tcb});
  if (vcek == nullptr) return std::nullopt;
  auto leaf = snp::ParseLeaf(vcek->body);
  if (!leaf) return std::nullopt;
  return std::move(leaf).value();
}

std::shared_ptr<const crypto::Crl> Folder::FindCrl(snp::Product product) const {
  const Document* const list = Look(AmdCrlId{product});
  auto crl = list != nullptr ? crypto::Crl::Parse(list->body)
                             : Result<crypto::Crl>(Error{ReasonCode::kEndorsementMissing, "there is none"});
  return crl ? std::make_shared<const crypto::Crl>(std::move(crl).value()) : nullptr;
}

std::shared_ptr<const tdx::Collateral> Folder::Find(const tdx::Fmspc& fmspc, tdx::PckCa ca,
                                                    tdx::EvaluationSet set) const {
  const Document* const tcb_info = Look(TcbInfoId{fmspc, set});
  if (tcb_info == nullptr) return nullptr;
  tdx::CollateralBytes bytes;
  bytes.tcb_info = tcb_info->body;
  bytes.tcb_info_chain = tcb_info->chain;
  if (const Document* qe = Look(QeIdentityId{set})) {
    bytes.qe_identity = qe->body;
    bytes.qe_identity_chain = qe->chain;
  }
  if (const Document* list = Look(PckCrlId{ca})) {
    bytes.pck_crl = list->body;
    bytes.pck_crl_chain = list->chain;
  }
  if (const Document* list = Look(RootCrlId{})) bytes.root_crl = list->body;
  return tdx::Collateral::Of(std::move(bytes));
}

}  // namespace portcullis::endorsement

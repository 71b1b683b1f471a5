#include "base/log.h"
#include "endorsement/store.h"

namespace portcullis::endorsement {

std::optional<crypto::Certificate> Store::ReadLeaf(const VcekEntry& entry) const {
  Document document{entry.id, {}, {}};
  if (auto body = ReadBounded(Below(entry.file), kMaxDocumentBytes)) document.body = std::move(body).value();
  auto leaf = snp::ParseLeaf(document.body);
  if (!leaf) return std::nullopt;
  if (entry.proven) return std::move(leaf).value();
  const Facts facts{leaf->not_before(), leaf->not_after(), std::nullopt, std::nullopt};
  const auto sound = Examine(document, anchors_, WithinWindow(facts, clock_.Now()));
  if (sound) return std::move(leaf).value();
  Log(LogLevel::kWarning, "a stored certificate does not verify and is not used",
      {{"file", entry.file}, {"error", sound.error().ToString()}});
  return std::nullopt;
}

std::optional<crypto::Certificate> Store::LeafOf(const VcekId& id) const {
  const std::string key = PathOf(id);
  VcekEntry entry;
  {
    const std::lock_guard lock(mutex_);
    const auto found = vceks_.find(key);
    if (found == vceks_.end()) return std::nullopt;
    found->second.last_use = ++uses_;
    if (found->second.leaf) return found->second.leaf;
    entry = found->second;
  }
  auto leaf = ReadLeaf(entry);
  const std::lock_guard lock(mutex_);
  const auto found = vceks_.find(key);
  if (found == vceks_.end()) return leaf;
  if (!leaf) {
    vceks_.erase(found);
    return std::nullopt;
  }
  if (leaves_ >= kMaxLeaves) {
    for (auto& [path, other] : vceks_) other.leaf.reset();
    leaves_ = 0;
  }
  found->second.proven = true;
  found->second.leaf = leaf;
  ++leaves_;
  return leaf;
}

std::shared_ptr<const Store::Listed> Store::GetVcek(const VcekId& id) const {
  const auto leaf = LeafOf(id);
  if (!leaf) return nullptr;
  const Facts facts{leaf->not_before(), leaf->not_after(), std::nullopt, std::nullopt};
  return std::make_shared<const Listed>(Listed{{id, ToBuffer(leaf->der()), {}}, facts});
}

std::optional<crypto::Certificate> Store::FindVcek(snp::Product product, const snp::ChipId& chip,
                                                   const snp::Tcb& tcb) const {
  if (chip.IsZero()) return std::nullopt;  // masked: there is nothing to ask for
  const VcekId id{product, chip, tcb};
  if (auto leaf = LeafOf(id)) return leaf;
  const std::lock_guard lock(mutex_);
  NoteMissedLocked(id);
  return std::nullopt;
}

std::shared_ptr<const crypto::Crl> Store::FindCrl(snp::Product product) const {
  const std::lock_guard lock(mutex_);
  const auto found = crls_.find(product);
  if (found != crls_.end()) return found->second;
  NoteMissedLocked(AmdCrlId{product});
  return nullptr;
}

std::shared_ptr<const tdx::Collateral> Store::Find(const tdx::Fmspc& fmspc, tdx::PckCa ca,
                                                   tdx::EvaluationSet set) const {
  const std::lock_guard lock(mutex_);
  const CollateralKey key{fmspc, ca, set};
  if (const auto found = assembled_.find(key); found != assembled_.end()) return found->second;
  auto collateral = AssembleLocked(fmspc, ca, set);
  if (collateral != nullptr && assembled_.size() < kMaxDocuments) assembled_[key] = collateral;
  return collateral;
}

std::shared_ptr<const tdx::Collateral> Store::AssembleLocked(const tdx::Fmspc& fmspc, tdx::PckCa ca,
                                                             tdx::EvaluationSet set) const {
  const auto look = [this](const Id& id) {
    auto listed = GetLocked(id);
    if (listed == nullptr) NoteMissedLocked(id);
    return listed;
  };
  const auto tcb_info = look(TcbInfoId{fmspc, set});
  const auto qe_identity = look(QeIdentityId{set});
  const auto pck_crl = look(PckCrlId{ca});
  const auto root_crl = look(RootCrlId{});
  if (tcb_info == nullptr || qe_identity == nullptr || pck_crl == nullptr || root_crl == nullptr)
    return nullptr;
  return tdx::Collateral::Of({.tcb_info = tcb_info->document.body,
                              .qe_identity = qe_identity->document.body,
                              .tcb_info_chain = tcb_info->document.chain,
                              .qe_identity_chain = qe_identity->document.chain,
                              .pck_crl = pck_crl->document.body,
                              .root_crl = root_crl->document.body,
                              .pck_crl_chain = pck_crl->document.chain});
}

}  // namespace portcullis::endorsement

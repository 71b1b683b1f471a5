#include "base/log.h"
#include "endorsement/store.h"

namespace portcullis::endorsement {

std::shared_ptr<const Store::Listed> Store::GetVcek(const VcekId& id) const {
  const std::string key = PathOf(id);
  VcekEntry entry;
  {
    const std::lock_guard lock(mutex_);
    const auto found = vceks_.find(key);
    if (found == vceks_.end()) return nullptr;
    found->second.last_use = ++uses_;
    entry = found->second;
  }
  const auto forget = [&] {
    const std::lock_guard lock(mutex_);
    vceks_.erase(key);
  };
  auto body = ReadBounded(Below(entry.file), kMaxDocumentBytes);
  const auto leaf = body ? snp::ParseLeaf(*body) : Result<crypto::Certificate>(body.error());
  if (!leaf) {
    forget();
    return nullptr;
  }
  const Facts facts{leaf->not_before(), leaf->not_after(), std::nullopt, std::nullopt};
  Document document{id, std::move(body).value(), {}};
  if (!entry.proven) {
    if (const auto sound = Examine(document, anchors_, WithinWindow(facts, clock_.Now())); !sound) {
      Log(LogLevel::kWarning, "a stored certificate does not verify and is not used",
          {{"file", entry.file}, {"error", sound.error().ToString()}});
      forget();
      return nullptr;
    }
    const std::lock_guard lock(mutex_);
    if (const auto found = vceks_.find(key); found != vceks_.end()) found->second.proven = true;
  }
  return std::make_shared<const Listed>(Listed{std::move(document), facts});
}

std::optional<crypto::Certificate> Store::FindVcek(snp::Product product, const snp::ChipId& chip,
                                                   const snp::Tcb& tcb) const {
  if (chip.IsZero()) return std::nullopt;  // masked: there is nothing to ask for
  const VcekId id{product, chip, tcb};
  if (const auto listed = GetVcek(id))
    if (auto leaf = snp::ParseLeaf(listed->document.body)) return std::move(leaf).value();
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
                              .root_crl = root_crl->document.body});
}

}  // namespace portcullis::endorsement

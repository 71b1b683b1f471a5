#include "evidence/snp/proven_leaves.h"

namespace portcullis::snp {

std::shared_ptr<const ExaminedLeaf> ProvenLeaves::Find(const Key& key) {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end()) return nullptr;
  by_use_.splice(by_use_.begin(), by_use_, found->second);
  return found->second->second;
}

std::optional<crypto::Certificate> ProvenLeaves::CertificateOf(const crypto::Sha256Digest& leaf) const {
  const std::scoped_lock lock(mutex_);
  const auto first = entries_.lower_bound({leaf, {}, {}, Product{}});
  if (first == entries_.end() || first->first.leaf != leaf) return std::nullopt;
  return first->second->second->certificate;
}

void ProvenLeaves::Remember(const Key& key, std::shared_ptr<const ExaminedLeaf> leaf) {
  const std::scoped_lock lock(mutex_);
  if (entries_.contains(key)) return;  // two threads proved it at once
  by_use_.emplace_front(key, std::move(leaf));
  entries_.emplace(key, by_use_.begin());
  if (entries_.size() <= capacity_) return;
  entries_.erase(by_use_.back().first);
  by_use_.pop_back();
}

std::size_t ProvenLeaves::size() const {
  const std::scoped_lock lock(mutex_);
  return entries_.size();
}

ProvenLeaves& Proven() {
  static ProvenLeaves leaves;
  return leaves;
}

}  // namespace portcullis::snp

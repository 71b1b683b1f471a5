#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "evidence/snp/leaf.h"

namespace portcullis::snp {

/// Remembers sound leaves, so that a chip's second report costs one P-384 verification and no RSA. Only what
/// verified gets in, and the least recently used goes out: nobody without AMD's signature can fill it.
/// Thread-safe.
class ProvenLeaves {
 public:
  static constexpr std::size_t kCapacity = 4096;  // chips of a large fleet; about 4 KiB each

  /// What a proof holds for: this leaf under this issuer and root of this product.
  struct Key {
    crypto::Sha256Digest leaf, issuer, root;
    Product product;
    auto operator<=>(const Key&) const = default;
  };

  explicit ProvenLeaves(std::size_t capacity = kCapacity) : capacity_(capacity) {}
  std::shared_ptr<const ExaminedLeaf> Find(const Key& key);
  /// A leaf of these bytes that was sound under some root: parsed once, whoever sends it again.
  std::optional<crypto::Certificate> CertificateOf(const crypto::Sha256Digest& leaf) const;
  void Remember(const Key& key, std::shared_ptr<const ExaminedLeaf> leaf);
  std::size_t size() const;

 private:
  using Entry = std::pair<Key, std::shared_ptr<const ExaminedLeaf>>;

  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::list<Entry> by_use_;  // most recently used first
  std::map<Key, std::list<Entry>::iterator> entries_;
};

/// The process's memory.
ProvenLeaves& Proven();

}  // namespace portcullis::snp

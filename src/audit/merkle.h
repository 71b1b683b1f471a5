#pragma once

#include <cstdint>
#include <vector>

#include "crypto/digest.h"

namespace portcullis::audit {

/// RFC 6962 section 2.1: SHA-256(0x00 || row).
crypto::Sha256Digest LeafHash(Bytes row);

/// A growing RFC 6962 tree of which only the roots of the full subtrees are kept: one for each bit set in its
/// size.
class CompactTree {
 public:
  void Add(const crypto::Sha256Digest& leaf);
  std::int64_t size() const { return size_; }
  crypto::Sha256Digest Root() const;

 private:
  std::int64_t size_ = 0;
  std::vector<crypto::Sha256Digest> subtrees_;  // from the largest, at the left, to the smallest
};

}  // namespace portcullis::audit

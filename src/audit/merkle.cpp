#include "audit/merkle.h"

#include "audit/audit.h"

namespace portcullis::audit {
namespace {

constexpr std::byte kLeafPrefix{0x00};
constexpr std::byte kNodePrefix{0x01};

crypto::Sha256Digest NodeHash(const crypto::Sha256Digest& left, const crypto::Sha256Digest& right) {
  std::array<std::byte, 1 + 2 * crypto::Sha256Digest::kSize> input{kNodePrefix};
  std::ranges::copy(left.bytes(), input.begin() + 1);
  std::ranges::copy(right.bytes(), input.begin() + 1 + crypto::Sha256Digest::kSize);
  return crypto::Sha256(input);
}

}  // namespace

crypto::Sha256Digest LeafHash(Bytes row) {
  ByteBuffer input;
  input.reserve(1 + row.size());
  input.push_back(kLeafPrefix);
  portcullis::Append(input, row);
  return crypto::Sha256(input);
}

void CompactTree::Add(const crypto::Sha256Digest& leaf) {
  crypto::Sha256Digest node = leaf;
  // As in binary addition: each set low bit is a full subtree of the new node's size, to its left.
  for (std::int64_t carry = size_; (carry & 1) != 0; carry >>= 1) {
    node = NodeHash(subtrees_.back(), node);
    subtrees_.pop_back();
  }
  subtrees_.push_back(node);
  ++size_;
}

crypto::Sha256Digest CompactTree::Root() const {
  if (subtrees_.empty()) return crypto::Sha256({});
  crypto::Sha256Digest node = subtrees_.back();
  for (std::size_t i = subtrees_.size() - 1; i-- > 0;) node = NodeHash(subtrees_[i], node);
  return node;
}

crypto::Sha256Digest MerkleRoot(const std::vector<crypto::Sha256Digest>& leaves) {
  CompactTree tree;
  for (const crypto::Sha256Digest& leaf : leaves) tree.Add(leaf);
  return tree.Root();
}

}  // namespace portcullis::audit

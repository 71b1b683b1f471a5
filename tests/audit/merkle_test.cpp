#include "audit/merkle.h"

#include <gtest/gtest.h>

#include "audit/audit.h"
#include "codec/text.h"

namespace portcullis::audit {
namespace {

// The leaves and roots of Certificate Transparency's reference implementation (RFC 6962).
constexpr std::string_view kLeaves[] = {
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
constexpr std::string_view kRoots[] = {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                       "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                                       "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                                       "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                                       "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                                       "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                                       "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                                       "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

TEST(MerkleRoot, IsThatOfTheReferenceTrees) {
  std::vector<crypto::Sha256Digest> leaves;
  for (std::size_t i = 0; i < std::size(kLeaves); ++i) {
    leaves.push_back(LeafHash(*codec::DecodeHex(kLeaves[i])));
    EXPECT_EQ(codec::EncodeHex(MerkleRoot(leaves).bytes()), kRoots[i]) << i + 1 << " leaves";
  }
}

TEST(MerkleRoot, OfNothingIsTheHashOfNothing) {
  EXPECT_EQ(codec::EncodeHex(MerkleRoot({}).bytes()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

// The definition of RFC 6962 section 2.1, which splits from above.
crypto::Sha256Digest ByDefinition(std::span<const crypto::Sha256Digest> leaves) {
  if (leaves.size() == 1) return leaves.front();
  std::size_t split = 1;
  while (split * 2 < leaves.size()) split *= 2;
  ByteBuffer node{std::byte{1}};
  Append(node, ByDefinition(leaves.first(split)).bytes());
  Append(node, ByDefinition(leaves.subspan(split)).bytes());
  return crypto::Sha256(node);
}

TEST(CompactTree, GrowsToTheRootOfTheDefinitionAtEachSize) {
  CompactTree tree;
  std::vector<crypto::Sha256Digest> leaves;
  for (int i = 0; i < 130; ++i) {
    leaves.push_back(LeafHash(AsBytes(std::to_string(i))));
    tree.Add(leaves.back());
    EXPECT_EQ(tree.size(), i + 1);
    EXPECT_EQ(tree.Root(), ByDefinition(leaves)) << i + 1 << " leaves";
  }
}

}  // namespace
}  // namespace portcullis::audit

#pragma once

#include <optional>
#include <string>

#include "evidence/snp/chain.h"

namespace portcullis::snp {

std::string IssuerName(KeyKind kind, Product product);  // "SEV-Milan", "SEV-VLEK-Milan"
std::string RootName(Product product);                  // "ARK-Milan"
inline const crypto::Certificate& IssuerOf(KeyKind kind, const ProductAnchors& anchors) {
  return kind == KeyKind::kVlek ? anchors.asvk : anchors.ask;
}

/// What holds for a leaf certificate whatever report it came with and whatever time it is: the costly part.
struct ExaminedLeaf {
  crypto::Certificate certificate;
  std::optional<LeafExtensions> extensions;
  std::string extensions_defect;  // why there are none
  bool profile_fits;              // P-384, no basicConstraints, no unknown critical extension
  bool links_verified;            // leaf to issuer to pinned root

  bool sound() const { return extensions.has_value() && profile_fits && links_verified; }
};

/// Parses the extensions and verifies the links: leaf to ASK or ASVK to self-signed ARK, each by name and
/// RSASSA-PSS signature. `anchors` null, where no root is pinned for the product, verifies nothing.
ExaminedLeaf Examine(const crypto::Certificate& leaf, KeyKind kind, const ProductAnchors* anchors);

}  // namespace portcullis::snp

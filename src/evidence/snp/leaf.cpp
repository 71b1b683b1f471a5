#include "evidence/snp/leaf.h"

namespace portcullis::snp {
namespace {

constexpr std::string_view kBasicConstraints = "2.5.29.19";

/// AMD's leaves carry no basicConstraints: with any, the certificate is meant for something else.
bool ProfileFits(const crypto::Certificate& leaf) {
  const auto key = leaf.ec_key();
  return key && key->curve() == crypto::Curve::kP384 && !leaf.Extension(kBasicConstraints) &&
         !leaf.HasUnknownCriticalExtension();
}

bool LinksVerify(const crypto::Certificate& leaf, KeyKind kind, const ProductAnchors& anchors) {
  const crypto::Certificate& issuer = IssuerOf(kind, anchors);
  const crypto::Certificate& root = anchors.ark;
  const bool named = issuer.subject_common_name() == IssuerName(kind, anchors.product) &&
                     root.subject_common_name() == RootName(anchors.product);
  return named && issuer.is_ca() && root.is_ca() && leaf.IsSignedBy_RsaPssSha384(issuer) &&
         issuer.IsSignedBy_RsaPssSha384(root) && root.IsSignedBy_RsaPssSha384(root);
}

}  // namespace

std::string IssuerName(KeyKind kind, Product product) {
  return (kind == KeyKind::kVlek ? "SEV-VLEK-" : "SEV-") + std::string(NameOf(product));
}

std::string RootName(Product product) { return "ARK-" + std::string(NameOf(product)); }

ExaminedLeaf Examine(const crypto::Certificate& leaf, KeyKind kind, const ProductAnchors* anchors) {
  auto extensions = ParseLeafExtensions(leaf);
  ExaminedLeaf out{.certificate = leaf,
                   .extensions = std::nullopt,
                   .extensions_defect = {},
                   .profile_fits = ProfileFits(leaf),
                   .links_verified = anchors != nullptr && LinksVerify(leaf, kind, *anchors)};
  if (extensions)
    out.extensions = std::move(extensions).value();
  else
    out.extensions_defect = extensions.error().ToString();
  return out;
}

}  // namespace portcullis::snp

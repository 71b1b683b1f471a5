#include <gtest/gtest.h>

#include "codec/text.h"
#include "evidence/snp/amd_certificates.h"
#include "evidence/snp/leaf.h"

namespace portcullis::snp {
namespace {

TEST(AmdTrustAnchors, HoldEveryProduct) {
  for (const Product product : {Product::kMilan, Product::kGenoa, Product::kTurin}) {
    const ProductAnchors* anchors = AmdTrustAnchors().For(product);
    ASSERT_NE(anchors, nullptr);
    EXPECT_EQ(anchors->ark.subject_common_name(), RootName(product));
    EXPECT_EQ(anchors->ask.subject_common_name(), IssuerName(KeyKind::kVcek, product));
    EXPECT_EQ(anchors->asvk.subject_common_name(), IssuerName(KeyKind::kVlek, product));
  }
}

TEST(AmdTrustAnchors, AreSignedByTheirOwnRootAndByNoOther) {
  for (const ProductAnchors& anchors : AmdTrustAnchors().products) {
    EXPECT_TRUE(anchors.ark.IsSignedBy_RsaPssSha384(anchors.ark));
    EXPECT_TRUE(anchors.ask.IsSignedBy_RsaPssSha384(anchors.ark));
    EXPECT_TRUE(anchors.asvk.IsSignedBy_RsaPssSha384(anchors.ark));
    EXPECT_FALSE(anchors.ark.IsSignedBy_RsaPssSha384(anchors.ask));
    for (const ProductAnchors& other : AmdTrustAnchors().products)
      EXPECT_EQ(anchors.ask.IsSignedBy_RsaPssSha384(other.ark), other.product == anchors.product);
  }
}

TEST(AmdTrustAnchors, ArePinnedByCertificateAndKey) {
  for (const AmdCertificate& entry : kAmdCertificates) {
    const auto certificate = crypto::Certificate::Parse(codec::DecodeBase64(entry.der_base64).value());
    ASSERT_TRUE(certificate.has_value()) << entry.common_name;
    EXPECT_EQ(codec::EncodeHex(certificate->fingerprint().bytes()), entry.certificate_sha256);
    EXPECT_EQ(codec::EncodeHex(certificate->spki_fingerprint().bytes()), entry.spki_sha256);
  }
}

}  // namespace
}  // namespace portcullis::snp

#include <cstdlib>

#include "codec/text.h"
#include "evidence/snp/amd_certificates.h"
#include "evidence/snp/chain.h"

namespace portcullis::snp {
namespace {

/// What is embedded never fails to parse or to match its pin, unless the source was altered: that is a bug,
/// and nothing may be verified with it.
template <typename T>
T Require(Result<T> result) {
  if (!result) std::abort();
  return std::move(result).value();
}
void Require(bool holds) {
  if (!holds) std::abort();
}

crypto::Certificate Embedded(Product product, AmdRole role) {
  for (const AmdCertificate& entry : kAmdCertificates) {
    if (entry.product != product || entry.role != role) continue;
    const ByteBuffer der = Require(codec::DecodeBase64(entry.der_base64));
    crypto::Certificate certificate = Require(crypto::Certificate::Parse(der));
    Require(codec::EncodeHex(certificate.fingerprint().bytes()) == entry.certificate_sha256);
    Require(codec::EncodeHex(certificate.spki_fingerprint().bytes()) == entry.spki_sha256);
    Require(certificate.subject_common_name() == entry.common_name);
    return certificate;
  }
  std::abort();
}

ProductAnchors EmbeddedAnchors(Product product) {
  return {product, Embedded(product, AmdRole::kArk), Embedded(product, AmdRole::kAsk),
          Embedded(product, AmdRole::kAsvk)};
}

}  // namespace

const ProductAnchors* TrustAnchors::For(Product product) const {
  for (const ProductAnchors& anchors : products)
    if (anchors.product == product) return &anchors;
  return nullptr;
}

const TrustAnchors& AmdTrustAnchors() {
  static const TrustAnchors anchors{
      {EmbeddedAnchors(Product::kMilan), EmbeddedAnchors(Product::kGenoa), EmbeddedAnchors(Product::kTurin)}};
  return anchors;
}

}  // namespace portcullis::snp

#include "evidence/tdx/checks.h"

namespace portcullis::tdx {
namespace {

// SHA-256 of the SubjectPublicKeyInfo of "Intel SGX Root CA" (2018 to 2049), serial
// 22650cd65a9d3489f383b49552bf501b392706ac.
constexpr std::array<unsigned char, 32> kIntelRootSpki = {
    0xa0, 0xaf, 0x03, 0x12, 0x89, 0xf5, 0xd5, 0xd4, 0x13, 0x2f, 0x91, 0x86, 0x06, 0x8a, 0x7f, 0xc1,
    0x36, 0x28, 0x63, 0x3b, 0xa2, 0x35, 0x77, 0x74, 0x72, 0xe2, 0x9b, 0x6b, 0x6c, 0x67, 0xa4, 0x9e};

}  // namespace

const TrustAnchors& IntelTrustAnchors() {
  static const TrustAnchors anchors{
      crypto::Sha256Digest::From(std::as_bytes(std::span(kIntelRootSpki))).value()};
  return anchors;
}

}  // namespace portcullis::tdx

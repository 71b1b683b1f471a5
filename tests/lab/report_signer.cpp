#include "tests/lab/snp_lab.h"

namespace portcullis::lab {
namespace {

using crypto::Require;

constexpr std::size_t kRAt = 0x2A0, kSAt = 0x2E8, kComponentSize = 72;

ByteBuffer DerSignature(Bytes message, const SharedKey& key) {
  const crypto::DigestContextPtr context(EVP_MD_CTX_new());
  Require(EVP_DigestSignInit_ex(context.get(), nullptr, "SHA384", nullptr, nullptr, key.get(), nullptr) == 1);
  std::size_t size = 0;
  Require(EVP_DigestSign(context.get(), nullptr, &size, crypto::Octets(message), message.size()) == 1);
  ByteBuffer out(size);
  Require(EVP_DigestSign(context.get(), crypto::Octets(std::span(out)), &size, crypto::Octets(message),
                         message.size()) == 1);
  out.resize(size);
  return out;
}

}  // namespace

void SignReport(ByteBuffer& report, const LabLeaf& leaf) {
  const ByteBuffer der = DerSignature(Bytes(report).first(snp::kSignedSize), leaf.key);
  const unsigned char* cursor = crypto::Octets(Bytes(der));
  const crypto::EcdsaSignaturePtr signature(d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(der.size())));
  Require(signature != nullptr);
  const std::span<std::byte> out(report);
  Require(BN_bn2lebinpad(ECDSA_SIG_get0_r(signature.get()), crypto::Octets(out.subspan(kRAt)),
                         kComponentSize) == kComponentSize);
  Require(BN_bn2lebinpad(ECDSA_SIG_get0_s(signature.get()), crypto::Octets(out.subspan(kSAt)),
                         kComponentSize) == kComponentSize);
}

}  // namespace portcullis::lab

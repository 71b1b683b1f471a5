#include "crypto/ecdsa.h"

#include "crypto/ec_key.h"

namespace portcullis::crypto {
namespace {

BignumPtr OrderOf(const CurveProfile& profile) {
  BIGNUM* order = nullptr;
  Require(BN_hex2bn(&order, std::string(profile.order_hex).c_str()) != 0);
  return BignumPtr(order);
}

/// The number, or nullptr where it is outside [1, order - 1].
BignumPtr ScalarOf(Bytes big_endian, const CurveProfile& profile, const BIGNUM& order) {
  if (big_endian.empty() || big_endian.size() > profile.field_bytes) return nullptr;
  BignumPtr number(BN_bin2bn(Octets(big_endian), IntSize(big_endian.size()), nullptr));
  Require(number != nullptr);
  if (BN_is_zero(number.get()) || BN_cmp(number.get(), &order) >= 0) return nullptr;
  return number;
}

}  // namespace

bool VerifyDigestSignature(EVP_PKEY* key, const EVP_MD* method, Bytes message, Bytes signature) {
  const DigestContextPtr context(EVP_MD_CTX_new());
  Require(context != nullptr);
  if (EVP_DigestVerifyInit(context.get(), nullptr, method, nullptr, key) != 1) return false;
  return EVP_DigestVerify(context.get(), Octets(signature), signature.size(), Octets(message),
                          message.size()) == 1;
}

std::optional<EcdsaSignatureDer> EncodeEcdsaSignature(const CurveProfile& profile, Bytes r, Bytes s) {
  const BignumPtr order = OrderOf(profile);
  BignumPtr first = ScalarOf(r, profile, *order);
  BignumPtr second = ScalarOf(s, profile, *order);
  if (first == nullptr || second == nullptr) return std::nullopt;
  const EcdsaSignaturePtr parts(ECDSA_SIG_new());
  Require(parts != nullptr && ECDSA_SIG_set0(parts.get(), first.release(), second.release()) == 1);
  EcdsaSignatureDer der;
  const int size = i2d_ECDSA_SIG(parts.get(), nullptr);
  Require(size > 0 && static_cast<std::size_t>(size) <= der.buffer.size());
  unsigned char* out = Octets(std::span(der.buffer));
  Require(i2d_ECDSA_SIG(parts.get(), &out) == size);
  der.size = static_cast<std::size_t>(size);
  return der;
}

bool VerifyEcdsaParts(const EcPublicKey& key, Bytes message, Bytes r, Bytes s) {
  const CurveProfile& profile = key.impl()->profile;
  const auto der = EncodeEcdsaSignature(profile, r, s);
  return der && VerifyDigestSignature(key.impl()->key(), profile.digest(), message, der->bytes());
}

ByteBuffer SignEcdsa(const EcPrivateKey& key, Bytes message) {
  const CurveProfile& profile = key.public_key().impl()->profile;
  const DigestContextPtr context(EVP_MD_CTX_new());
  Require(context != nullptr);
  Require(EVP_DigestSignInit(context.get(), nullptr, profile.digest(), nullptr, key.impl().key.get()) == 1);
  std::array<std::byte, 160> der;
  std::size_t size = der.size();
  Require(EVP_DigestSign(context.get(), Octets(std::span(der)), &size, Octets(message), message.size()) == 1);

  const unsigned char* in = Octets(Bytes(der));
  const EcdsaSignaturePtr parts(d2i_ECDSA_SIG(nullptr, &in, static_cast<long>(size)));
  Require(parts != nullptr);
  const int field = IntSize(profile.field_bytes);
  ByteBuffer out(2 * profile.field_bytes);
  const std::span<std::byte> halves(out);
  Require(BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), Octets(halves.first(profile.field_bytes)), field) ==
          field);
  Require(BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), Octets(halves.last(profile.field_bytes)), field) ==
          field);
  return out;
}

bool VerifyEcdsa(const EcPublicKey& key, Bytes message, Bytes signature) {
  const std::size_t size = key.impl()->profile.field_bytes;
  if (signature.size() != 2 * size) return false;
  return VerifyEcdsaParts(key, message, signature.first(size), signature.last(size));
}

}  // namespace portcullis::crypto

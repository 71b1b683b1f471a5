#include "evidence/tpm/signature.h"

#include <gtest/gtest.h>

#include "crypto/openssl.h"

namespace portcullis::tpm {
namespace {

using crypto::Curve;

constexpr std::string_view kMessage = "a TPMS_ATTEST";

ByteBuffer Marshalled(std::uint16_t algorithm, std::uint16_t hash, std::initializer_list<Bytes> parts) {
  ByteBuffer out;
  const auto big = [&out](std::size_t value) {
    out.push_back(static_cast<std::byte>(value >> 8));
    out.push_back(static_cast<std::byte>(value & 0xFF));
  };
  big(algorithm);
  big(hash);
  for (const Bytes part : parts) {
    big(part.size());
    Append(out, part);
  }
  return out;
}

struct Signed {
  AttestationKey key;
  ByteBuffer r, s;
};
Signed SignWith(Curve curve) {
  const crypto::EcPrivateKey key = crypto::EcPrivateKey::Generate(curve);
  const ByteBuffer raw = crypto::SignEcdsa(key, AsBytes(kMessage));
  const std::size_t half = raw.size() / 2;
  return {key.public_key(), ToBuffer(Bytes(raw).first(half)), ToBuffer(Bytes(raw).subspan(half))};
}

TEST(TpmSignature, OfEcdsaVerifiesOnBothCurves) {
  for (const auto& [curve, hash] : {std::pair{Curve::kP256, 0x000B}, std::pair{Curve::kP384, 0x000C}}) {
    const Signed by = SignWith(curve), other = SignWith(curve);
    const auto signature = ParseSignature(Marshalled(0x0018, static_cast<std::uint16_t>(hash), {by.r, by.s}));
    ASSERT_TRUE(signature) << signature.error().ToString();
    EXPECT_TRUE(IsSignedBy(AsBytes(kMessage), *signature, by.key));
    EXPECT_FALSE(IsSignedBy(AsBytes("another"), *signature, by.key));
    EXPECT_FALSE(IsSignedBy(AsBytes(kMessage), *signature, other.key));
  }
}

TEST(TpmSignature, OfEcdsaMayLeaveOutLeadingZeros) {
  // Sooner or later r begins with a zero byte.
  for (;;) {
    const Signed by = SignWith(Curve::kP256);
    if (by.r.front() != std::byte{0}) continue;
    const ByteBuffer shorter(by.r.begin() + 1, by.r.end());
    const auto signature = ParseSignature(Marshalled(0x0018, 0x000B, {shorter, by.s}));
    ASSERT_TRUE(signature);
    EXPECT_TRUE(IsSignedBy(AsBytes(kMessage), *signature, by.key));
    return;
  }
}

TEST(TpmSignature, OfOneKindDoesNotVerifyUnderAKeyOfAnother) {
  const Signed p256 = SignWith(Curve::kP256), p384 = SignWith(Curve::kP384);
  const auto signature = ParseSignature(Marshalled(0x0018, 0x000B, {p256.r, p256.s}));
  EXPECT_FALSE(IsSignedBy(AsBytes(kMessage), *signature, p384.key));
  EXPECT_FALSE(IsSignedBy(AsBytes(kMessage), RsaSignature{ByteBuffer(256)}, p256.key));
  EXPECT_FALSE(
      IsSignedBy(AsBytes(kMessage), EcdsaSignature{Curve::kP256, ByteBuffer(33), ByteBuffer(32)}, p256.key));
  EXPECT_FALSE(
      IsSignedBy(AsBytes(kMessage), EcdsaSignature{Curve::kP256, ByteBuffer(32), ByteBuffer(32)}, p256.key));
}

TEST(TpmSignature, IsRefusedWithOtherAlgorithmsSizesAndBytesBehind) {
  const ByteBuffer number(32, std::byte{1}), rsa(256, std::byte{1});
  EXPECT_TRUE(ParseSignature(Marshalled(0x0018, 0x000B, {number, number})));
  EXPECT_TRUE(ParseSignature(Marshalled(0x0014, 0x000B, {rsa})));
  EXPECT_FALSE(ParseSignature(Marshalled(0x0014, 0x0004, {rsa})));  // SHA-1
  EXPECT_FALSE(ParseSignature(Marshalled(0x0014, 0x000C, {rsa})));
  EXPECT_FALSE(ParseSignature(Marshalled(0x0016, 0x000B, {rsa})));  // RSAPSS
  EXPECT_FALSE(ParseSignature(Marshalled(0x0018, 0x0004, {number, number})));
  EXPECT_FALSE(ParseSignature(Marshalled(0x0005, 0x000B, {number})));  // HMAC
  EXPECT_FALSE(ParseSignature(Marshalled(0x0018, 0x000B, {number, ByteBuffer()})));
  EXPECT_FALSE(ParseSignature(Marshalled(0x0018, 0x000B, {number, ByteBuffer(33)})));
  EXPECT_FALSE(ParseSignature(Marshalled(0x0018, 0x000B, {number, number, number})));
  EXPECT_FALSE(ParseSignature(Marshalled(0x0014, 0x000B, {ByteBuffer(513)})));
  EXPECT_FALSE(ParseSignature(ByteBuffer(kMaxSignatureBytes + 1)));
}

}  // namespace
}  // namespace portcullis::tpm

#include <gtest/gtest.h>

#include "codec/text.h"
#include "crypto/curve.h"
#include "crypto/jwk.h"
#include "tests/crypto/keys.h"
#include "tests/crypto/wycheproof.h"

namespace portcullis::crypto {
namespace {

using test::ForEachVector;
using test::FromHex;
using test::Vector;

struct EcdsaFile {
  std::string_view name;
  std::size_t valid, invalid;
};

class EcdsaVectors : public testing::TestWithParam<EcdsaFile> {};
INSTANTIATE_TEST_SUITE_P(Wycheproof, EcdsaVectors,
                         testing::Values(EcdsaFile{"ecdsa_secp256r1_sha256_p1363", 173, 89},
                                         EcdsaFile{"ecdsa_secp384r1_sha384_p1363", 193, 87}),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

TEST_P(EcdsaVectors, HaveOurVerdict) {
  PORTCULLIS_TESTDATA_OR_SKIP(file, "wycheproof/" + std::string(GetParam().name) + "_test.json");
  std::size_t valid = 0, invalid = 0;
  ForEachVector(file, [&](const Vector& vector) {
    const auto key = EcPublicKey::FromSpki(FromHex(vector.group.TextAt({"publicKeyDer"})));
    ASSERT_TRUE(key);
    EXPECT_EQ(VerifyEcdsa(*key, vector.bytes("msg"), vector.bytes("sig")), vector.valid());
    (vector.valid() ? valid : invalid) += 1;
  });
  EXPECT_EQ(valid, GetParam().valid);
  EXPECT_EQ(invalid, GetParam().invalid);
}

class Ecdsa : public testing::TestWithParam<Curve> {};
INSTANTIATE_TEST_SUITE_P(Curves, Ecdsa, testing::Values(Curve::kP256, Curve::kP384, Curve::kP521),
                         [](const auto& parameter) {
                           const std::string name(NameOf(parameter.param));
                           return name.substr(0, 1) + name.substr(2);
                         });

TEST_P(Ecdsa, IsTwoFieldLengthsAndTiedToKeyAndMessage) {
  const EcPrivateKey key = EcPrivateKey::Generate(GetParam());
  const ByteBuffer signature = SignEcdsa(key, AsBytes("message"));
  EXPECT_EQ(signature.size(), 2 * ProfileOf(GetParam()).field_bytes);
  EXPECT_TRUE(VerifyEcdsa(key.public_key(), AsBytes("message"), signature));
  EXPECT_FALSE(VerifyEcdsa(key.public_key(), AsBytes("massage"), signature));
  EXPECT_FALSE(VerifyEcdsa(key.public_key(), {}, signature));
  EXPECT_FALSE(VerifyEcdsa(EcPrivateKey::Generate(GetParam()).public_key(), AsBytes("message"), signature));
  for (const Curve other : {Curve::kP256, Curve::kP384, Curve::kP521}) {
    if (other == GetParam()) continue;
    EXPECT_FALSE(VerifyEcdsa(EcPrivateKey::Generate(other).public_key(), AsBytes("message"), signature));
  }
}

TEST_P(Ecdsa, RefusesOtherLengthsAndNumbersOutOfRange) {
  const EcPrivateKey key = EcPrivateKey::Generate(GetParam());
  const ByteBuffer signature = SignEcdsa(key, AsBytes("message"));
  const std::size_t size = ProfileOf(GetParam()).field_bytes;
  const ByteBuffer order = codec::DecodeHex(ProfileOf(GetParam()).order_hex).value();
  const auto with = [&](std::size_t half, const ByteBuffer& number) {
    ByteBuffer changed = signature;
    std::ranges::copy(number, changed.begin() + static_cast<std::ptrdiff_t>(half * size));
    return changed;
  };
  for (const std::size_t half : {0u, 1u}) {
    EXPECT_FALSE(VerifyEcdsa(key.public_key(), AsBytes("message"), with(half, ByteBuffer(size))));
    EXPECT_FALSE(VerifyEcdsa(key.public_key(), AsBytes("message"), with(half, order)));
    EXPECT_FALSE(
        VerifyEcdsa(key.public_key(), AsBytes("message"), with(half, ByteBuffer(size, std::byte{0xFF}))));
  }
  ByteBuffer longer = signature;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(VerifyEcdsa(key.public_key(), AsBytes("message"), longer));
  EXPECT_FALSE(
      VerifyEcdsa(key.public_key(), AsBytes("message"), Bytes(signature).first(signature.size() - 1)));
  EXPECT_FALSE(VerifyEcdsa(key.public_key(), AsBytes("message"), {}));
}

TEST(Ed25519, AgreesWithWycheproof) {
  PORTCULLIS_TESTDATA_OR_SKIP(file, "wycheproof/ed25519_test.json");
  std::size_t valid = 0;
  ForEachVector(file, [&](const Vector& vector) {
    const auto key = codec::FixedFromHex<Ed25519PublicKey>(vector.group.TextAt({"publicKey", "pk"}));
    ASSERT_TRUE(key);
    EXPECT_EQ(VerifyEd25519(*key, vector.bytes("msg"), vector.bytes("sig")), vector.valid());
    valid += vector.valid();
  });
  EXPECT_EQ(valid, 88u);
}

TEST(Ed25519, SignsAsRfc8032Shows) {  // section 7.1, test 2
  const SecretBytes seed =
      SecretBytes::CopyOf(FromHex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"));
  EXPECT_EQ(codec::EncodeHex(Ed25519PublicOf(seed).bytes()),
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  EXPECT_EQ(codec::EncodeHex(SignEd25519(seed, FromHex("72"))),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
}

TEST(Ed25519, RefusesOtherKeyMessageAndLength) {
  const SecretBytes seed = GenerateEd25519Seed();
  const Ed25519PublicKey key = Ed25519PublicOf(seed);
  const ByteBuffer signature = SignEd25519(seed, AsBytes("note"));
  EXPECT_TRUE(VerifyEd25519(key, AsBytes("note"), signature));
  EXPECT_TRUE(VerifyEd25519(key, {}, SignEd25519(seed, {})));
  EXPECT_FALSE(VerifyEd25519(key, AsBytes("vote"), signature));
  EXPECT_FALSE(VerifyEd25519(Ed25519PublicOf(GenerateEd25519Seed()), AsBytes("note"), signature));
  EXPECT_FALSE(VerifyEd25519(key, AsBytes("note"), Bytes(signature).first(63)));
  EXPECT_FALSE(VerifyEd25519(key, AsBytes("note"), {}));
  EXPECT_FALSE(VerifyEd25519(Ed25519PublicKey(), AsBytes("note"), signature));
}

}  // namespace
}  // namespace portcullis::crypto

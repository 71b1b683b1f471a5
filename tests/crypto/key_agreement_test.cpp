#include <gtest/gtest.h>

#include "crypto/ec_key.h"
#include "crypto/key_wrap.h"
#include "tests/crypto/keys.h"
#include "tests/crypto/wycheproof.h"

namespace portcullis::crypto {
namespace {

using test::ForEachVector;
using test::FromHex;
using test::Vector;

/// Vectors write a scalar as a signed number; a key has the field's length.
ByteBuffer ScalarOf(ByteBuffer number, std::size_t size) {
  while (number.size() > size && number.front() == std::byte{0}) number.erase(number.begin());
  number.insert(number.begin(), size - number.size(), std::byte{0});
  return number;
}

TEST(KeyAgreement, AgreesWithWycheproofOnJwks) {
  PORTCULLIS_TESTDATA_OR_SKIP(file, "wycheproof/ecdh_secp256r1_webcrypto_test.json");
  std::size_t agreed = 0, other_curve = 0, refused = 0;
  ForEachVector(file, [&](const Vector& vector) {
    const auto peer = EcPublicKey::FromJwk(*vector.test.Find("public"));
    if (!vector.valid() && !peer) {
      ++refused;
      return;
    }
    ASSERT_TRUE(peer);
    const EcPrivateKey own = test::PrivateKeyOfJwk(*vector.test.Find("private"));
    if (!vector.valid()) {  // good keys on another curve: whoever uses them must compare curves first
      EXPECT_NE(peer->curve(), own.public_key().curve());
      ++other_curve;
      return;
    }
    EXPECT_TRUE(test::SameContent(SharedSecret(own, *peer), vector.bytes("shared")));
    ++agreed;
  });
  EXPECT_EQ(agreed, 330u);
  EXPECT_EQ(other_curve, 2u);
  EXPECT_EQ(refused, 21u);
}

struct PointFile {
  std::string_view name;
  Curve curve;
  std::size_t agreed, refused;
};

class PointVectors : public testing::TestWithParam<PointFile> {};
INSTANTIATE_TEST_SUITE_P(Wycheproof, PointVectors,
                         testing::Values(PointFile{"ecdh_secp256r1_ecpoint", Curve::kP256, 330, 25},
                                         PointFile{"ecdh_secp384r1_ecpoint", Curve::kP384, 771, 19}),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

TEST_P(PointVectors, HaveOurVerdict) {
  PORTCULLIS_TESTDATA_OR_SKIP(file, "wycheproof/" + std::string(GetParam().name) + "_test.json");
  const CurveProfile& profile = ProfileOf(GetParam().curve);
  std::size_t agreed = 0, refused = 0;
  ForEachVector(file, [&](const Vector& vector) {
    // As it would stand in a SubjectPublicKeyInfo: compressed points and points on other curves don't fit.
    ByteBuffer spki = ToBuffer(AsBytes(profile.spki_prefix.substr(0, profile.spki_prefix.size() - 1)));
    Append(spki, vector.bytes("public"));
    const auto peer = EcPublicKey::FromSpki(spki);
    EXPECT_EQ(peer.has_value(), vector.valid());
    if (!peer) {
      ++refused;
      return;
    }
    const auto own = EcPrivateKey::FromPkcs8(
        test::Pkcs8WithoutPublicPart(profile, ScalarOf(vector.bytes("private"), profile.field_bytes)));
    ASSERT_TRUE(own);
    EXPECT_TRUE(test::SameContent(SharedSecret(*own, *peer), vector.bytes("shared")));
    ++agreed;
  });
  EXPECT_EQ(agreed, GetParam().agreed);
  EXPECT_EQ(refused, GetParam().refused);
}

TEST(KeyAgreement, BothSidesDeriveOneKeyOnEveryCurve) {
  for (const Curve curve : {Curve::kP256, Curve::kP384, Curve::kP521}) {
    const EcPrivateKey one = EcPrivateKey::Generate(curve), other = EcPrivateKey::Generate(curve);
    const SecretBytes there = DeriveKeyEncryptionKey(one, other.public_key());
    DeriveKeyEncryptionKey(other, one.public_key()).Expose([&](Bytes back) {
      EXPECT_TRUE(test::SameContent(there, back));
    });
    EXPECT_EQ(SharedSecret(one, other.public_key()).size(), ProfileOf(curve).field_bytes)
        << "leading zeros belong to the secret";
  }
}

TEST(KeyAgreementDeathTest, KeysOnTwoCurvesAreABug) {
  const EcPrivateKey own = EcPrivateKey::Generate(Curve::kP256);
  EXPECT_DEATH((void)SharedSecret(own, EcPrivateKey::Generate(Curve::kP384).public_key()), "");
}

}  // namespace
}  // namespace portcullis::crypto

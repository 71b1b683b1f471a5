#include "crypto/jwk.h"

#include <gtest/gtest.h>

#include "codec/text.h"
#include "crypto/curve.h"
#include "crypto/digest.h"
#include "tests/crypto/keys.h"
#include "tests/crypto/wycheproof.h"

namespace portcullis::crypto {
namespace {

using codec::Json;

constexpr Curve kCurves[] = {Curve::kP256, Curve::kP384, Curve::kP521};

class EveryCurve : public testing::TestWithParam<Curve> {};
INSTANTIATE_TEST_SUITE_P(Curves, EveryCurve, testing::ValuesIn(kCurves), [](const auto& parameter) {
  const std::string name(NameOf(parameter.param));
  return name.substr(0, 1) + name.substr(2);
});

TEST_P(EveryCurve, JwkAndSpkiLeadBackToTheSameKey) {
  const EcPrivateKey key = EcPrivateKey::Generate(GetParam());
  const EcPublicKey& public_key = key.public_key();
  EXPECT_EQ(public_key.curve(), GetParam());
  EXPECT_EQ(EcPublicKey::FromJwk(public_key.ToJwk()).value(), public_key);
  EXPECT_EQ(EcPublicKey::FromSpki(public_key.ToSpki()).value(), public_key);
  EXPECT_FALSE(public_key == EcPrivateKey::Generate(GetParam()).public_key());
}

TEST_P(EveryCurve, PrivateKeySurvivesItsEncodings) {
  const EcPrivateKey key = EcPrivateKey::Generate(GetParam());
  EXPECT_EQ(EcPrivateKey::FromPkcs8(key.ToPkcs8()).value().public_key(), key.public_key());
  const EcPrivateKey again = EcPrivateKey::FromPem(key.ToPem()).value();
  EXPECT_EQ(again.public_key(), key.public_key());
  EXPECT_TRUE(VerifyEcdsa(key.public_key(), AsBytes("message"), SignEcdsa(again, AsBytes("message"))));
  EXPECT_EQ(test::TextOf(again.ToPem()), test::TextOf(key.ToPem()));
}

TEST_P(EveryCurve, SpkiIsTheOneEncodingWithNamedCurveAndWholePoint) {
  const ByteBuffer spki = EcPrivateKey::Generate(GetParam()).public_key().ToSpki();
  for (std::size_t length = 0; length < spki.size(); ++length)
    EXPECT_FALSE(EcPublicKey::FromSpki(Bytes(spki).first(length))) << length;
  ByteBuffer longer = spki;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(EcPublicKey::FromSpki(longer));
  for (std::size_t i = 0; i < spki.size();
       ++i) {  // a changed prefix is another type; a changed point is off the curve
    ByteBuffer changed = spki;
    changed[i] ^= std::byte{1};
    EXPECT_FALSE(EcPublicKey::FromSpki(changed)) << i;
  }
}

TEST_P(EveryCurve, PrivateKeyIsRefusedWhereItIsNotOne) {
  const CurveProfile& profile = ProfileOf(GetParam());
  const ByteBuffer order = codec::DecodeHex(profile.order_hex).value();
  ByteBuffer below = order;
  below.back() ^= std::byte{1};  // orders are odd
  EXPECT_TRUE(EcPrivateKey::FromPkcs8(test::Pkcs8WithoutPublicPart(profile, below)));
  EXPECT_FALSE(EcPrivateKey::FromPkcs8(test::Pkcs8WithoutPublicPart(profile, order)));
  EXPECT_FALSE(EcPrivateKey::FromPkcs8(test::Pkcs8WithoutPublicPart(profile, ByteBuffer(order.size()))));
  below.erase(below.begin());
  EXPECT_FALSE(EcPrivateKey::FromPkcs8(test::Pkcs8WithoutPublicPart(profile, below)));
}

TEST_P(EveryCurve, PrivateKeyWithTheWrongPublicPartIsRefused) {
  const EcPrivateKey key = EcPrivateKey::Generate(GetParam());
  const EcPrivateKey other = EcPrivateKey::Generate(GetParam());
  SecretBytes mixed = key.ToPkcs8();
  const std::size_t half = 2 * ProfileOf(GetParam()).field_bytes;
  other.ToPkcs8().Expose([&](Bytes from) {
    mixed.ExposeMutable(
        [&](std::span<std::byte> to) { std::ranges::copy(from.last(half), to.last(half).begin()); });
  });
  EXPECT_FALSE(EcPrivateKey::FromPkcs8(mixed));
}

TEST_P(EveryCurve, PrivateKeyIsRefusedAtEveryTruncationAndWithTrailingBytes) {
  const EcPrivateKey key = EcPrivateKey::Generate(GetParam());
  key.ToPkcs8().Expose([](Bytes der) {
    for (std::size_t length = 0; length < der.size(); ++length)
      EXPECT_FALSE(EcPrivateKey::FromPkcs8(SecretBytes::CopyOf(der.first(length)))) << length;
    ByteBuffer longer = ToBuffer(der);
    longer.push_back(std::byte{0});
    EXPECT_FALSE(EcPrivateKey::FromPkcs8(SecretBytes::CopyOf(longer)));
  });
}

TEST(EcPrivateKey, PemIsExactlyOnePrivateKeyBlock) {
  const EcPrivateKey key = EcPrivateKey::Generate(Curve::kP256);
  const std::string pem = test::TextOf(key.ToPem());
  EXPECT_TRUE(pem.starts_with("-----BEGIN PRIVATE KEY-----\n")) << "a public test key";
  EXPECT_TRUE(EcPrivateKey::FromPem(test::SecretOf("\n  " + pem + "\n")));
  std::string windows = pem;
  for (std::size_t at = 0; (at = windows.find('\n', at)) != std::string::npos; at += 2)
    windows.insert(at, "\r");
  EXPECT_TRUE(EcPrivateKey::FromPem(test::SecretOf(windows)));

  std::string sec1 = pem;
  for (std::size_t at = 0; (at = sec1.find("PRIVATE", at)) != std::string::npos; at += 10)
    sec1.insert(at, "EC ");
  std::string damaged = pem;
  damaged[40] = '*';
  std::string padded = pem;
  padded.insert(padded.find("\n-----END"), "====");
  for (const std::string& text :
       {std::string(), std::string("-----BEGIN PRIVATE KEY-----"), sec1, damaged, padded, pem + pem,
        "words " + pem, pem + "words", pem.substr(0, pem.size() - 3)}) {
    EXPECT_FALSE(EcPrivateKey::FromPem(test::SecretOf(text))) << text;
  }
}

// RFC 7520 3.1: a key that others made.
Json CookbookKey() {
  return Json::Object(
      {{"kty", "EC"},
       {"kid", "bilbo.baggins@hobbiton.example"},
       {"use", "sig"},
       {"crv", "P-521"},
       {"x", "AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt"},
       {"y", "AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1"}});
}

TEST(EcPublicKeyFromJwk, AcceptsWhatRfc7520Shows) { EXPECT_TRUE(EcPublicKey::FromJwk(CookbookKey())); }

TEST(EcPublicKeyFromJwk, ThumbprintIsOfTheParsedKeyWhateverTheTextSaid) {
  const EcPublicKey key = EcPrivateKey::Generate(Curve::kP256).public_key();
  Json jwk = key.ToJwk();
  const std::string members = "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"" + std::string(jwk.TextAt({"x"})) +
                              "\",\"y\":\"" + std::string(jwk.TextAt({"y"})) + "\"}";
  EXPECT_EQ(key.Thumbprint(), codec::EncodeBase64Url(Sha256(AsBytes(members)).bytes()));
  jwk.Set("kid", "another").Set("alg", "ES256");
  EXPECT_EQ(EcPublicKey::FromJwk(jwk).value().Thumbprint(), key.Thumbprint());
}

struct JwkDefect {
  std::string_view name;
  void (*spoil)(Json&);
};

constexpr JwkDefect kJwkDefects[] = {
    {"OtherKeyType", [](Json& jwk) { jwk.Set("kty", "RSA"); }},
    {"KeyTypeMissing", [](Json& jwk) { jwk.Erase("kty"); }},
    {"UnknownCurve", [](Json& jwk) { jwk.Set("crv", "P-256K"); }},
    {"CurveMissing", [](Json& jwk) { jwk.Erase("crv"); }},
    {"OtherCurvesName", [](Json& jwk) { jwk.Set("crv", "P-384"); }},
    {"CurveIsNoText", [](Json& jwk) { jwk.Set("crv", 521); }},
    {"XMissing", [](Json& jwk) { jwk.Erase("x"); }},
    {"YMissing", [](Json& jwk) { jwk.Erase("y"); }},
    {"XIsNoText", [](Json& jwk) { jwk.Set("x", 1); }},
    {"XWithoutItsLeadingZero",
     [](Json& jwk) {
       jwk.Set("x",
               "cpkss6wI7PPlxj3t7A1RqMH3nvL4L5Tzxze_XeeYZnHqxiX-gle70DlGRMqqOq-PJ6RYX7vK0PJFdiAIXlyPQq0");
     }},
    {"XPadded", [](Json& jwk) { jwk.Set("x", std::string(jwk.TextAt({"x"})) + "="); }},
    {"XInTheOtherAlphabet",
     [](Json& jwk) {
       std::string x(jwk.TextAt({"x"}));
       std::ranges::replace(x, '-', '+');
       jwk.Set("x", x);
     }},
    {"PrivateMember", [](Json& jwk) { jwk.Set("d", "AAhRON2r9cqXX1hg"); }},
    {"RsaMember", [](Json& jwk) { jwk.Set("n", "AQAB"); }},
    {"SymmetricMember", [](Json& jwk) { jwk.Set("k", "AQAB"); }},
    {"CertificateMember", [](Json& jwk) { jwk.Set("x5c", Json::Array({"MIIB"})); }},
    {"AddressMember", [](Json& jwk) { jwk.Set("x5u", "https://example.org/"); }},
    {"PointOffTheCurve", [](Json& jwk) { jwk.Set("y", *jwk.Find("x")); }},
    {"PointAtZero", [](Json& jwk) { jwk.Set("x", std::string(88, 'A')).Set("y", std::string(88, 'A')); }},
    {"XNotBelowThePrime", [](Json& jwk) { jwk.Set("x", "Af" + std::string(86, '_')); }},
    {"NoObject", [](Json& jwk) { jwk = Json::Array({}); }},
};

class JwkDefects : public testing::TestWithParam<JwkDefect> {};
INSTANTIATE_TEST_SUITE_P(All, JwkDefects, testing::ValuesIn(kJwkDefects),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

TEST_P(JwkDefects, AreRefused) {
  Json jwk = CookbookKey();
  GetParam().spoil(jwk);
  const auto key = EcPublicKey::FromJwk(jwk);
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().code, ReasonCode::kTeeKeyNotAccepted);
}

TEST(EcPublicKeyFromJwk, HoldsTheKeyToItsStatedUse) {
  const Json bare = EcPrivateKey::Generate(Curve::kP256).public_key().ToJwk();
  const auto accepts = [&](KeyUse use, std::string_view member, Json value) {
    Json jwk = bare;
    jwk.Set(member, std::move(value));
    return EcPublicKey::FromJwk(jwk, use).has_value();
  };
  EXPECT_TRUE(EcPublicKey::FromJwk(bare, KeyUse::kEncryption));
  EXPECT_TRUE(EcPublicKey::FromJwk(bare, KeyUse::kSignature));

  EXPECT_TRUE(accepts(KeyUse::kEncryption, "use", "enc"));
  EXPECT_FALSE(accepts(KeyUse::kEncryption, "use", "sig"));
  EXPECT_FALSE(accepts(KeyUse::kSignature, "use", "enc"));
  EXPECT_FALSE(accepts(KeyUse::kSignature, "use", 1));

  EXPECT_TRUE(accepts(KeyUse::kEncryption, "alg", "ECDH-ES+A256KW"));
  EXPECT_FALSE(accepts(KeyUse::kEncryption, "alg", "ECDH-ES"));
  EXPECT_FALSE(accepts(KeyUse::kEncryption, "alg", "ES256"));
  EXPECT_TRUE(accepts(KeyUse::kSignature, "alg", "ES256"));
  EXPECT_FALSE(accepts(KeyUse::kSignature, "alg", "ES384")) << "the hash of another curve";
  EXPECT_FALSE(accepts(KeyUse::kSignature, "alg", "none"));

  EXPECT_TRUE(accepts(KeyUse::kEncryption, "key_ops", Json::Array({"deriveKey"})));
  EXPECT_FALSE(accepts(KeyUse::kEncryption, "key_ops", Json::Array({"verify"})));
  EXPECT_TRUE(accepts(KeyUse::kSignature, "key_ops", Json::Array({"sign", "verify"})));
  EXPECT_FALSE(accepts(KeyUse::kSignature, "key_ops", Json::Array({"deriveKey"})));
  EXPECT_FALSE(accepts(KeyUse::kSignature, "key_ops", Json::Array({})));
  EXPECT_FALSE(accepts(KeyUse::kSignature, "key_ops", "verify"));
}

TEST(EcPublicKeyFromJwk, AcceptsTheOneGoodKeyAmongWycheproofs) {
  PORTCULLIS_TESTDATA_OR_SKIP(file, "wycheproof/json_web_key_test.json");
  std::size_t accepted = 0, refused = 0;
  test::ForEachVector(file, [&](const test::Vector& vector) {
    for (const std::string_view side : {"public", "private"}) {
      const Json* set = vector.group.Find(side);
      const Json* keys = set == nullptr ? nullptr : set->Find("keys");
      if (keys == nullptr) continue;
      for (const Json& key : *keys->if_array()) {
        (EcPublicKey::FromJwk(key, KeyUse::kSignature) ? accepted : refused) += 1;
      }
    }
  });
  EXPECT_EQ(accepted, 1u) << "beside a symmetric key, in a set that must be refused as such: we take no sets";
  EXPECT_GE(refused, 26u);
}

}  // namespace
}  // namespace portcullis::crypto

#include <gtest/gtest.h>

#include "codec/text.h"
#include "crypto/digest.h"
#include "crypto/jose.h"
#include "tests/crypto/keys.h"
#include "tests/crypto/wycheproof.h"

namespace portcullis::crypto {
namespace {

using codec::Json;
using test::ForEachVector;
using test::Vector;

constexpr std::string_view kType = "portcullis-test+jws";
constexpr std::string_view kPayload = R"({"claim":1})";

/// A JWS with any header, well signed.
std::string Forge(const EcPrivateKey& key, const std::string& header_text,
                  std::string_view payload = kPayload) {
  const std::string input =
      codec::EncodeBase64Url(AsBytes(header_text)) + "." + codec::EncodeBase64Url(AsBytes(payload));
  return input + "." + codec::EncodeBase64Url(SignEcdsa(key, AsBytes(input)));
}

Json GoodHeader(const EcPrivateKey& key) {
  return Json::Object({{"alg", "ES256"}, {"kid", key.public_key().Thumbprint()}, {"typ", kType}});
}

void ExpectInvalid(const EcPublicKey& key, std::string_view compact, std::string_view type = kType) {
  const auto payload = VerifyJws(key, type, compact);
  ASSERT_FALSE(payload) << compact;
  EXPECT_EQ(payload.error().code, ReasonCode::kSignatureInvalid);
}

TEST(Jws, IsVerifiedByItsKeyAloneOnEveryCurve) {
  for (const auto& [curve, algorithm] : {std::pair(Curve::kP256, "ES256"), std::pair(Curve::kP384, "ES384"),
                                         std::pair(Curve::kP521, "ES512")}) {
    const EcPrivateKey key = EcPrivateKey::Generate(curve);
    const std::string jws = SignJws(key, kType, AsBytes(kPayload));
    EXPECT_EQ(ToText(VerifyJws(key.public_key(), kType, jws).value()), kPayload);
    EXPECT_EQ(JwsKeyId(jws).value(), key.public_key().Thumbprint());
    EXPECT_EQ(ToText(codec::DecodeBase64Url(jws.substr(0, jws.find('.'))).value()),
              "{\"alg\":\"" + std::string(algorithm) + "\",\"kid\":\"" + key.public_key().Thumbprint() +
                  "\",\"typ\":\"portcullis-test+jws\"}");
    ExpectInvalid(EcPrivateKey::Generate(curve).public_key(), jws);
    ExpectInvalid(EcPrivateKey::Generate(curve == Curve::kP256 ? Curve::kP384 : Curve::kP256).public_key(),
                  jws);
  }
}

TEST(Jws, AnyChangedCharacterIsNoticed) {
  const EcPrivateKey key = EcPrivateKey::Generate(Curve::kP256);
  const std::string jws = SignJws(key, kType, AsBytes(kPayload));
  for (std::size_t i = 0; i < jws.size(); ++i) {
    std::string changed = jws;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    ExpectInvalid(key.public_key(), changed);
    ExpectInvalid(key.public_key(), jws.substr(0, i));
  }
}

TEST(Jws, TypeMustBeTheExpectedOne) {  // hazards J28
  const EcPrivateKey key = EcPrivateKey::Generate(Curve::kP256);
  const std::string typed = SignJws(key, kType, AsBytes(kPayload));
  const std::string untyped = SignJws(key, "", AsBytes(kPayload));
  ExpectInvalid(key.public_key(), typed, "portcullis-policy+jws");
  ExpectInvalid(key.public_key(), typed, "PORTCULLIS-TEST+JWS");
  ExpectInvalid(key.public_key(), typed, "");
  ExpectInvalid(key.public_key(), untyped);
  EXPECT_TRUE(VerifyJws(key.public_key(), "", untyped));
}

struct HeaderDefect {
  std::string_view name;
  void (*spoil)(Json&);
};

constexpr HeaderDefect kHeaderDefects[] = {
    {"J1_AlgNone", [](Json& h) { h.Set("alg", "none"); }},
    {"J1_AlgNoneInOtherCase", [](Json& h) { h.Set("alg", "nOnE"); }},
    {"J1_AlgMissing", [](Json& h) { h.Erase("alg"); }},
    {"J1_AlgIsNoText", [](Json& h) { h.Set("alg", 256); }},
    {"J2_AlgSymmetric", [](Json& h) { h.Set("alg", "HS256"); }},
    {"J3_AlgOfAnotherCurve", [](Json& h) { h.Set("alg", "ES384"); }},
    {"J3_AlgOfAnotherKeyType", [](Json& h) { h.Set("alg", "RS256"); }},
    {"J10_Crit", [](Json& h) { h.Set("crit", Json::Array({"exp"})).Set("exp", 1); }},
    {"J10_CritEmpty", [](Json& h) { h.Set("crit", Json::Array({})); }},
    {"J10_Base64False", [](Json& h) { h.Set("b64", false); }},
    {"J10_Base64True", [](Json& h) { h.Set("b64", true); }},
    {"J11_KeyByAddress", [](Json& h) { h.Set("jku", "https://example.org/keys"); }},
    {"J11_KeyInHeader", [](Json& h) { h.Set("jwk", Json::Object({})); }},
    {"J11_CertificateByAddress", [](Json& h) { h.Set("x5u", "https://example.org/cert"); }},
    {"J11_CertificateInHeader", [](Json& h) { h.Set("x5c", Json::Array({})); }},
    {"J12_KeyIdOfAnother", [](Json& h) { h.Set("kid", "kid-ec-sign"); }},
    {"J12_KeyIdAsPath", [](Json& h) { h.Set("kid", "../../dev/null"); }},
    {"J12_KeyIdIsNoText", [](Json& h) { h.Set("kid", nullptr); }},
    {"J12_KeyIdVeryLong", [](Json& h) { h.Set("kid", std::string(16 * 1024, 'k')); }},
    {"J28_TypeMissing", [](Json& h) { h.Erase("typ"); }},
    {"J28_TypeOther", [](Json& h) { h.Set("typ", "JWT"); }},
    {"J28_TypeIsNoText", [](Json& h) { h.Set("typ", Json::Array({kType})); }},
};

class JwsHeaderDefects : public testing::TestWithParam<HeaderDefect> {};
INSTANTIATE_TEST_SUITE_P(All, JwsHeaderDefects, testing::ValuesIn(kHeaderDefects),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

TEST_P(JwsHeaderDefects, AreRefusedThoughTheSignatureIsGood) {
  const EcPrivateKey key = EcPrivateKey::Generate(Curve::kP256);
  Json header = GoodHeader(key);
  ASSERT_TRUE(VerifyJws(key.public_key(), kType, Forge(key, codec::ToText(header))))
      << "the forgery must be good";
  GetParam().spoil(header);
  ExpectInvalid(key.public_key(), Forge(key, codec::ToText(header)));
}

TEST(Jws, HeaderWithoutKeyIdIsEnoughForAPinnedKey) {
  const EcPrivateKey key = EcPrivateKey::Generate(Curve::kP256);
  Json header = GoodHeader(key);
  header.Erase("kid");
  const std::string jws = Forge(key, codec::ToText(header));
  EXPECT_TRUE(VerifyJws(key.public_key(), kType, jws));
  EXPECT_FALSE(JwsKeyId(jws));
}

TEST(Jws, RepeatedHeaderNamesAreRefused) {  // hazards J9
  const EcPrivateKey key = EcPrivateKey::Generate(Curve::kP256);
  const std::string header = codec::ToText(GoodHeader(key));
  ExpectInvalid(key.public_key(), Forge(key, "{\"alg\":\"ES256\"," + header.substr(1)));
  ExpectInvalid(key.public_key(),
                Forge(key, header.substr(0, header.size() - 1) + ",\"\\u0061lg\":\"none\"}"));
  ExpectInvalid(key.public_key(), Forge(key, "[" + header + "]"));
}

TEST(Jws, OtherShapesAreRefused) {  // hazards J5 to J8, J21
  const EcPrivateKey key = EcPrivateKey::Generate(Curve::kP256);
  const EcPublicKey& public_key = key.public_key();
  const std::string jws = SignJws(key, kType, AsBytes(kPayload));
  const std::size_t first = jws.find('.'), last = jws.rfind('.');
  const std::string header = jws.substr(0, first), payload = jws.substr(first + 1, last - first - 1);
  const std::string signature = jws.substr(last + 1);
  SystemRandom random;
  const std::string jwe = EncryptJwe(public_key, test::SecretOf(kPayload), random).ToCompact();
  const std::string json =
      codec::ToText(Json::Object({{"protected", header}, {"payload", payload}, {"signature", signature}}));
  for (const std::string& text : {std::string(), header, header + "." + payload, jws + ".", "." + jws,
                                  jws + ".x.y", header + "..." + signature, "." + payload + "." + signature,
                                  header + ".." + signature, header + "." + payload + ".", jwe, json,
                                  jws + "=", jws + "\n", " " + jws, header + "=." + payload + "." + signature,
                                  header + "." + payload + "." + std::string(kMaxJoseBytes, 'A')}) {
    ExpectInvalid(public_key, text);
  }
}

TEST(Jws, TrailingBitsOfBase64MustBeZero) {  // hazards J8: the same bytes under another text
  const EcPrivateKey key = EcPrivateKey::Generate(Curve::kP256);
  std::string jws = SignJws(key, kType, AsBytes(kPayload));
  // 64 bytes end in a character of which four bits are unused.
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  jws.back() = alphabet[alphabet.find(jws.back()) ^ 1];
  ExpectInvalid(key.public_key(), jws);
}

TEST(DetachedJws, CoversHeaderAndPayload) {
  const EcPrivateKey key = EcPrivateKey::Generate(Curve::kP384);
  const std::string jws = SignDetachedJws(key, kType, AsBytes(kPayload));
  EXPECT_NE(jws.find(".."), std::string::npos);
  EXPECT_TRUE(VerifyDetachedJws(key.public_key(), kType, jws, AsBytes(kPayload)));
  EXPECT_EQ(JwsKeyId(jws).value(), key.public_key().Thumbprint());
  EXPECT_FALSE(VerifyDetachedJws(key.public_key(), kType, jws, AsBytes(R"({"claim":2})")));
  EXPECT_FALSE(VerifyDetachedJws(key.public_key(), kType, jws, {}));
  EXPECT_FALSE(VerifyDetachedJws(key.public_key(), "other", jws, AsBytes(kPayload)));
  EXPECT_FALSE(
      VerifyDetachedJws(EcPrivateKey::Generate(Curve::kP384).public_key(), kType, jws, AsBytes(kPayload)));
  ExpectInvalid(key.public_key(), jws);
  const std::string attached = SignJws(key, kType, AsBytes(kPayload));
  EXPECT_FALSE(VerifyDetachedJws(key.public_key(), kType, attached, AsBytes(kPayload))) << "two payloads";
  EXPECT_TRUE(VerifyDetachedJws(key.public_key(), kType, SignDetachedJws(key, kType, {}), {}));
}

TEST(DetachedJws, CoversPayloadsLargerThanAJoseText) {
  const EcPrivateKey key = EcPrivateKey::Generate(Curve::kP256);
  const std::string payload(2 * kMaxJoseBytes, 'p');
  EXPECT_TRUE(VerifyDetachedJws(key.public_key(), kType, SignDetachedJws(key, kType, AsBytes(payload)),
                                AsBytes(payload)));
}

TEST(Jws, AgreesWithWycheproof) {
  PORTCULLIS_TESTDATA_OR_SKIP(file, "wycheproof/json_web_signature_test.json");
  const EcPublicKey unrelated = EcPrivateKey::Generate(Curve::kP256).public_key();
  std::size_t good = 0, bad = 0, key_refused = 0;
  ForEachVector(file, [&](const Vector& vector) {
    const Json* jwk = vector.group.Find("public");
    const auto key = EcPublicKey::FromJwk(jwk == nullptr ? Json() : *jwk, KeyUse::kSignature);
    const Json* text = vector.test.Find("jws");
    const std::string jws =
        text != nullptr && text->if_string() != nullptr ? *text->if_string() : std::string();
    // Their kid is no thumbprint, so all are refused by us as a whole ...
    ExpectInvalid(key ? *key : unrelated, jws, "");
    if (!key) {
      ++key_refused;  // not EC, for another use, or named with the algorithm ES521 that does not exist
      return;
    }
    // ... and the signature is looked at by itself.
    const std::size_t dot = jws.rfind('.');
    const auto signature = codec::DecodeBase64Url(dot == std::string::npos ? "" : jws.substr(dot + 1));
    const bool verifies =
        signature && VerifyEcdsa(*key, AsBytes(jws).first(std::min(dot, jws.size())), *signature);
    EXPECT_EQ(verifies, vector.valid());
    (vector.valid() ? good : bad) += 1;
  });
  EXPECT_EQ(good, 2u);
  EXPECT_EQ(bad, 37u);
  EXPECT_EQ(key_refused, 362u);
}

TEST(Jws, CookbooksEs512SignatureVerifies) {
  PORTCULLIS_TESTDATA_OR_SKIP(file, "jose/cookbook/jws/4_3.ecdsa_signature.json");
  const Json document = codec::ParseJson(test::ReadFile(file)).value();
  const EcPublicKey key = test::PrivateKeyOfJwk(*document.At({"input", "key"})).public_key();
  const std::string jws(document.TextAt({"output", "compact"}));
  const std::size_t dot = jws.rfind('.');
  EXPECT_TRUE(
      VerifyEcdsa(key, AsBytes(jws.substr(0, dot)), codec::DecodeBase64Url(jws.substr(dot + 1)).value()));
  ExpectInvalid(key, jws, "");  // its kid is a mail address, not the key's thumbprint
}

TEST(Jws, OfRfc7515A3IsReadAsIs) {
  const Json jwk = Json::Object({{"kty", "EC"},
                                 {"crv", "P-256"},
                                 {"x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"},
                                 {"y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}});
  const std::string jws =
      "eyJhbGciOiJFUzI1NiJ9"
      ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
      ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
  const auto payload = VerifyJws(EcPublicKey::FromJwk(jwk).value(), "", jws);
  ASSERT_TRUE(payload);
  EXPECT_TRUE(AsText(*payload).starts_with(R"({"iss":"joe",)"));
}

}  // namespace
}  // namespace portcullis::crypto

#include <gtest/gtest.h>

#include "codec/text.h"
#include "crypto/digest.h"
#include "crypto/gcm.h"
#include "crypto/jose.h"
#include "crypto/key_wrap.h"
#include "tests/crypto/keys.h"
#include "tests/crypto/wycheproof.h"

namespace portcullis::crypto {
namespace {

using codec::Json;
using test::ForEachVector;
using test::SecretOf;
using test::TextOf;
using test::Vector;

Jwe Encrypt(const EcPublicKey& recipient, std::string_view plaintext, const codec::JsonObject& extra = {}) {
  SystemRandom random;
  return EncryptJwe(recipient, SecretOf(plaintext), random, extra);
}

/// A JWE that is right in all but what `spoil` does to its header: without a check of the header it would
/// decrypt.
Jwe Forge(const EcPublicKey& recipient, void (*spoil)(Json&)) {
  const EcPrivateKey ephemeral = EcPrivateKey::Generate(recipient.curve());
  Json header =
      Json::Object({{"alg", "ECDH-ES+A256KW"}, {"enc", "A256GCM"}, {"epk", ephemeral.public_key().ToJwk()}});
  spoil(header);
  const SecretBytes content_key = SecretOf("0123456789abcdef0123456789abcdef");
  const auto wrapped = WrapKey(DeriveKeyEncryptionKey(ephemeral, recipient), content_key);
  const std::array<std::byte, kGcmNonceBytes> nonce{};
  std::array<std::byte, 6> ciphertext;
  std::array<std::byte, kGcmTagBytes> tag;
  Jwe jwe{.protected_text = codec::EncodeBase64Url(AsBytes(codec::ToText(header))),
          .encrypted_key = codec::EncodeBase64Url(wrapped),
          .iv = codec::EncodeBase64Url(nonce),
          .ciphertext = {},
          .tag = {}};
  content_key.Expose([&](Bytes key) {
    EncryptGcm(key, nonce, AsBytes(jwe.protected_text), AsBytes("forged"), ciphertext, tag);
  });
  jwe.ciphertext = codec::EncodeBase64Url(ciphertext);
  jwe.tag = codec::EncodeBase64Url(tag);
  return jwe;
}

void ExpectUnavailable(const EcPrivateKey& key, const Jwe& jwe) {
  const auto plaintext = DecryptJwe(key, jwe);
  ASSERT_FALSE(plaintext);
  EXPECT_EQ(plaintext.error().code, ReasonCode::kKeyUnavailable);
}

TEST(Jwe, ReachesTheRecipientOnEveryCurveAndNobodyElse) {
  for (const Curve curve : {Curve::kP256, Curve::kP384, Curve::kP521}) {
    const EcPrivateKey key = EcPrivateKey::Generate(curve);
    const Jwe jwe = Encrypt(key.public_key(), "model key");
    EXPECT_EQ(TextOf(DecryptJwe(key, jwe).value()), "model key");
    EXPECT_EQ(TextOf(DecryptJwe(key, Jwe::FromJson(jwe.ToJson()).value()).value()), "model key");
    EXPECT_EQ(TextOf(DecryptJwe(key, Jwe::FromCompact(jwe.ToCompact()).value()).value()), "model key");
    ExpectUnavailable(EcPrivateKey::Generate(curve), jwe);
    ExpectUnavailable(EcPrivateKey::Generate(curve == Curve::kP256 ? Curve::kP384 : Curve::kP256), jwe);
  }
}

TEST(Jwe, CarriesAnEmptyTextAndARatherLongOne) {
  const EcPrivateKey key = EcPrivateKey::Generate(Curve::kP256);
  EXPECT_TRUE(DecryptJwe(key, Encrypt(key.public_key(), "")).value().empty());
  const std::string text(40'000, 'k');
  EXPECT_EQ(TextOf(DecryptJwe(key, Encrypt(key.public_key(), text)).value()), text);
}

TEST(Jwe, SizesAreThoseOfTheAlgorithms) {
  const Jwe jwe = Encrypt(EcPrivateKey::Generate(Curve::kP521).public_key(), "model key");
  EXPECT_EQ(codec::DecodeBase64Url(jwe.encrypted_key).value().size(), 40u);
  EXPECT_EQ(codec::DecodeBase64Url(jwe.iv).value().size(), 12u);
  EXPECT_EQ(codec::DecodeBase64Url(jwe.tag).value().size(), 16u);
  EXPECT_EQ(codec::DecodeBase64Url(jwe.ciphertext).value().size(), 9u);
}

TEST(Jwe, HeaderIsTheFormThatReserialisingClientsArriveAt) {
  const EcPrivateKey key = EcPrivateKey::Generate(Curve::kP256);
  const Json nested = Json::Object({{"zeta", 1}, {"alpha", "a"}});
  const Jwe jwe = Encrypt(key.public_key(), "model key", {{"release", "r-1"}, {"audience", nested}});
  const std::string text = ToText(codec::DecodeBase64Url(jwe.protected_text).value());
  const Json epk = *jwe.Header().value().Find("epk");
  EXPECT_EQ(
      text,
      R"({"alg":"ECDH-ES+A256KW","enc":"A256GCM","audience":{"alpha":"a","zeta":1},"epk":{"crv":"P-256",)"
      R"("kty":"EC","x":")" +
          std::string(epk.TextAt({"x"})) + R"(","y":")" + std::string(epk.TextAt({"y"})) +
          R"("},"release":"r-1"})");
  EXPECT_EQ(TextOf(DecryptJwe(key, jwe).value()), "model key");
}

TEST(Jwe, EveryOneHasItsOwnKeysAndNonce) {
  const EcPublicKey key = EcPrivateKey::Generate(Curve::kP256).public_key();
  const Jwe first = Encrypt(key, "model key"), second = Encrypt(key, "model key");
  EXPECT_NE(first.protected_text, second.protected_text);
  EXPECT_NE(first.encrypted_key, second.encrypted_key);
  EXPECT_NE(first.iv, second.iv);
  EXPECT_NE(first.ciphertext, second.ciphertext);
}

TEST(Jwe, AnyChangedCharacterIsNoticed) {
  const EcPrivateKey key = EcPrivateKey::Generate(Curve::kP256);
  const std::string compact = Encrypt(key.public_key(), "model key").ToCompact();
  for (std::size_t i = 0; i < compact.size(); ++i) {
    std::string changed = compact;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    const auto jwe = Jwe::FromCompact(changed);
    if (jwe) ExpectUnavailable(key, *jwe);
  }
}

struct HeaderDefect {
  std::string_view name;
  void (*spoil)(Json&);
};

void SetEpkMember(Json& header, std::string_view name, Json value) {
  header.Find("epk")->Set(name, std::move(value));
}

constexpr HeaderDefect kHeaderDefects[] = {
    {"J1_AlgNone", [](Json& h) { h.Set("alg", "none"); }},
    {"J3_AlgDirect", [](Json& h) { h.Set("alg", "dir"); }},
    {"J3_AlgKeyWrapOfAnotherSize", [](Json& h) { h.Set("alg", "ECDH-ES+A128KW"); }},
    {"J3_AlgAgreementAlone", [](Json& h) { h.Set("alg", "ECDH-ES"); }},
    {"J3_AlgInLowerCase", [](Json& h) { h.Set("alg", "ecdh-es+a256kw"); }},
    {"J3_AlgMissing", [](Json& h) { h.Erase("alg"); }},
    {"J3_AlgIsNoText", [](Json& h) { h.Set("alg", Json::Array({"ECDH-ES+A256KW"})); }},
    {"J14_AlgRsa1_5", [](Json& h) { h.Set("alg", "RSA1_5"); }},
    {"J14_AlgPasswordWithEndlessCount",
     [](Json& h) { h.Set("alg", "PBES2-HS256+A128KW").Set("p2c", 2147483648u).Set("p2s", "AAAA"); }},
    {"EncOther", [](Json& h) { h.Set("enc", "A128GCM"); }},
    {"EncMissing", [](Json& h) { h.Erase("enc"); }},
    {"J10_Crit", [](Json& h) { h.Set("crit", Json::Array({"exp"})).Set("exp", 1); }},
    {"J10_CritEmpty", [](Json& h) { h.Set("crit", Json::Array({})); }},
    {"J13_ZipDeflate", [](Json& h) { h.Set("zip", "DEF"); }},
    {"J13_ZipEmpty", [](Json& h) { h.Set("zip", ""); }},
    {"J19_Apu", [](Json& h) { h.Set("apu", "QWxpY2U"); }},
    {"J19_Apv", [](Json& h) { h.Set("apv", "Qm9i"); }},
    {"J18_EpkMissing", [](Json& h) { h.Erase("epk"); }},
    {"J18_EpkIsNoObject", [](Json& h) { h.Set("epk", "P-256"); }},
    {"J18_EpkWithPrivateMember", [](Json& h) { SetEpkMember(h, "d", "AAAA"); }},
    {"J18_EpkOffTheCurve", [](Json& h) { SetEpkMember(h, "y", *h.Find("epk")->Find("x")); }},
    {"J18_EpkAtZero",
     [](Json& h) {
       SetEpkMember(h, "x", std::string(43, 'A'));
       SetEpkMember(h, "y", std::string(43, 'A'));
     }},
    {"J17_EpkUnderAnotherCurvesName", [](Json& h) { SetEpkMember(h, "crv", "P-384"); }},
    {"J18_EpkX25519",
     [](Json& h) {
       h.Set("epk", Json::Object({{"kty", "OKP"}, {"crv", "X25519"}, {"x", std::string(43, 'A')}}));
     }},
    {"J4_EpkForSigning", [](Json& h) { SetEpkMember(h, "use", "sig"); }},
};

class JweHeaderDefects : public testing::TestWithParam<HeaderDefect> {};
INSTANTIATE_TEST_SUITE_P(All, JweHeaderDefects, testing::ValuesIn(kHeaderDefects),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

TEST_P(JweHeaderDefects, AreRefusedThoughAllElseIsRight) {
  const EcPrivateKey key = EcPrivateKey::Generate(Curve::kP256);
  ASSERT_TRUE(DecryptJwe(key, Forge(key.public_key(), [](Json&) {}))) << "the forgery must be good";
  ExpectUnavailable(key, Forge(key.public_key(), GetParam().spoil));
}

TEST(Jwe, UnknownHeaderMembersAreIgnoredAsRfc7516Says) {
  const EcPrivateKey key = EcPrivateKey::Generate(Curve::kP256);
  EXPECT_TRUE(
      DecryptJwe(key, Forge(key.public_key(), [](Json& h) { h.Set("kid", "../../etc").Set("cty", "a"); })));
}

TEST(Jwe, HeaderMustBeOneJsonObjectWithoutRepeatedNames) {  // hazards J9
  const EcPrivateKey key = EcPrivateKey::Generate(Curve::kP256);
  Jwe jwe = Encrypt(key.public_key(), "model key");
  const std::string header = ToText(codec::DecodeBase64Url(jwe.protected_text).value());
  for (const std::string& text : {std::string(), std::string("[]"), std::string("{"), header + "x",
                                  "{\"alg\":\"ECDH-ES+A256KW\"," + header.substr(1)}) {
    jwe.protected_text = codec::EncodeBase64Url(AsBytes(text));
    ExpectUnavailable(key, jwe);
  }
}

TEST(Jwe, TagAndNonceOfOtherLengthsAreRefused) {  // hazards J20
  const EcPrivateKey key = EcPrivateKey::Generate(Curve::kP256);
  const Jwe good = Encrypt(key.public_key(), "model key");
  for (const std::size_t length : {0, 4, 8, 12, 15}) {
    Jwe jwe = good;
    jwe.tag = codec::EncodeBase64Url(Bytes(codec::DecodeBase64Url(good.tag).value()).first(length));
    ExpectUnavailable(key, jwe);
  }
  for (const std::size_t length : {0u, 8u, 11u, 16u}) {
    Jwe jwe = good;
    jwe.iv = codec::EncodeBase64Url(ByteBuffer(length));
    ExpectUnavailable(key, jwe);
  }
  Jwe jwe = good;
  jwe.encrypted_key = codec::EncodeBase64Url(ByteBuffer(32));
  ExpectUnavailable(key, jwe);
}

TEST(JweFromJson, TakesTheFiveMembersAndNothingElse) {  // hazards J6, J9
  const Json good = Encrypt(EcPrivateKey::Generate(Curve::kP256).public_key(), "model key").ToJson();
  ASSERT_TRUE(Jwe::FromJson(good));
  for (const auto& [name, value] : *good.if_object()) {
    Json without = good;
    without.Erase(name);
    EXPECT_FALSE(Jwe::FromJson(without)) << name;
    Json number = good;
    number.Set(name, 1);
    EXPECT_FALSE(Jwe::FromJson(number)) << name;
    Json huge = good;
    huge.Set(name, std::string(kMaxJoseBytes + 1, 'A'));
    EXPECT_FALSE(Jwe::FromJson(huge)) << name;
  }
  for (const std::string_view name : {"header", "unprotected", "aad", "recipients"}) {
    Json more = good;
    more.Set(name, Json::Object({}));
    EXPECT_FALSE(Jwe::FromJson(more)) << name;
  }
  EXPECT_FALSE(Jwe::FromJson(Json::Array({good})));
}

TEST(JweFromCompact, TakesFiveSegmentsAndNothingElse) {  // hazards J5, J6, J7
  const Jwe jwe = Encrypt(EcPrivateKey::Generate(Curve::kP256).public_key(), "model key");
  const std::string compact = jwe.ToCompact();
  ASSERT_TRUE(Jwe::FromCompact(compact));
  EXPECT_FALSE(Jwe::FromCompact(compact + "."));
  EXPECT_FALSE(Jwe::FromCompact(compact.substr(0, compact.rfind('.'))));
  EXPECT_FALSE(Jwe::FromCompact(compact.substr(0, compact.find('.'))));
  EXPECT_FALSE(Jwe::FromCompact(""));
  EXPECT_FALSE(Jwe::FromCompact(codec::ToText(jwe.ToJson())));
  EXPECT_FALSE(Jwe::FromCompact(compact + std::string(kMaxJoseBytes, 'A')));
}

TEST(Jwe, AgreesWithWycheproof) {
  PORTCULLIS_TESTDATA_OR_SKIP(file, "wycheproof/json_web_encryption_test.json");
  const EcPrivateKey other = EcPrivateKey::Generate(Curve::kP256);
  std::size_t decrypted = 0;
  ForEachVector(file, [&](const Vector& vector) {
    const Json* jwk = vector.group.Find("private");
    const bool is_ec = jwk != nullptr && jwk->TextAt({"kty"}) == "EC";
    const auto own = is_ec ? std::make_optional(test::PrivateKeyOfJwk(*jwk)) : std::nullopt;
    const auto jwe = Jwe::FromCompact(vector.text("jwe"));
    if (!jwe) return;
    const auto plaintext = DecryptJwe(own ? *own : other, *jwe);
    // Of all valid ones, one has our two algorithms.
    const bool ours = vector.valid() && vector.text("comment") == "acceptsEcdhEsA256KwA256Gcm";
    ASSERT_EQ(plaintext.has_value(), ours);
    if (!ours) return;
    EXPECT_TRUE(test::SameContent(*plaintext, vector.bytes("pt")));
    ++decrypted;
  });
  EXPECT_EQ(decrypted, 1u);
}

TEST(Jwe, RefusesTheCookbooksOtherAlgorithms) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "jose/cookbook/jwe");
  const EcPrivateKey key = EcPrivateKey::Generate(Curve::kP256);
  std::size_t refused = 0;
  for (const auto& file : test::FilesIn(folder)) {
    SCOPED_TRACE(file);
    const auto document = codec::ParseJson(test::ReadFile(file));
    ASSERT_TRUE(document);
    const Json* input = document->At({"input", "key"});
    const bool is_ec = input != nullptr && input->TextAt({"kty"}) == "EC";
    const EcPrivateKey own = is_ec ? test::PrivateKeyOfJwk(*input) : EcPrivateKey::Generate(Curve::kP256);
    for (const std::string_view form : {"json", "json_flat"}) {
      const Json* json = document->At({"output", form});
      if (json == nullptr) continue;
      const auto jwe = Jwe::FromJson(*json);
      EXPECT_FALSE(jwe && DecryptJwe(own, *jwe));
      ++refused;
    }
    if (const std::string_view compact = document->TextAt({"output", "compact"}); !compact.empty()) {
      const auto jwe = Jwe::FromCompact(compact);
      EXPECT_FALSE(jwe && DecryptJwe(own, *jwe));
      ++refused;
    }
  }
  EXPECT_GE(refused, 30u);
}

}  // namespace
}  // namespace portcullis::crypto

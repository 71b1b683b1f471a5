#include "keystore/signature.h"

#include <gtest/gtest.h>

#include "codec/text.h"
#include "crypto/digest.h"

namespace portcullis::keystore {
namespace {

using codec::Json;
using crypto::Curve;
using crypto::EcPrivateKey;

// As it is signed: sorted, without spaces, the wrapped text by its digest.
constexpr std::string_view kWrapped = "a.b.c.d.e";
constexpr std::string_view kStatement =
    R"({"name":"llama","namespace":"models","resource":"models/key/llama","version":7,)"
    R"("wrapped":"sha256:94c036611d62101227d32a1bf66a41682a9d686115ff31b3f3a630f3127ef6e2"})";

class KeySignature : public testing::Test {
 protected:
  ModelKey Key() const {
    return {.namespace_name = "models",
            .name = "llama",
            .authority = authority_.public_key(),
            .resource = "models/key/llama",
            .versions = {}};
  }
  static std::string SignedBy(const EcPrivateKey& key) {
    return SignWrappedKey({"models", "llama", "models/key/llama", 7}, kWrapped, key);
  }
  Result<> Verify(const std::string& signature) const {
    return VerifyWrappedKey(Key(), {7, std::string(kWrapped), signature});
  }
  void ExpectInvalid(const std::string& signature) const {
    const auto verified = Verify(signature);
    ASSERT_FALSE(verified) << signature;
    EXPECT_EQ(verified.error().code, ReasonCode::kKeySignatureInvalid) << signature;
    EXPECT_EQ(verified.error().where, "signature");
  }
  /// A signature over the right statement under any header.
  std::string Forged(const Json& header) const {
    const std::string segment = codec::EncodeBase64Url(AsBytes(codec::ToText(header)));
    const std::string input = segment + "." + codec::EncodeBase64Url(AsBytes(kStatement));
    return segment + ".." + codec::EncodeBase64Url(SignEcdsa(authority_, AsBytes(input)));
  }
  Json GoodHeader() const {
    return Json::Object(
        {{"alg", "ES256"}, {"kid", authority_.public_key().Thumbprint()}, {"typ", kModelKeyJwsType}});
  }

  const EcPrivateKey authority_ = EcPrivateKey::Generate(Curve::kP256);
};

TEST_F(KeySignature, IsADetachedJwsOverNameResourceVersionAndDigest) {
  EXPECT_TRUE(crypto::VerifyDetachedJws(authority_.public_key(), "portcullis-model-key+jws",
                                        SignedBy(authority_), AsBytes(kStatement)));
  EXPECT_TRUE(Verify(SignedBy(authority_)));
  EXPECT_TRUE(Verify(Forged(GoodHeader())));
}

TEST_F(KeySignature, VerifiesOnEveryCurveWithinTheLimit) {
  for (const Curve curve : {Curve::kP256, Curve::kP384, Curve::kP521}) {
    const EcPrivateKey authority = EcPrivateKey::Generate(curve);
    ModelKey key = Key();
    key.authority = authority.public_key();
    const std::string signature = SignedBy(authority);
    EXPECT_LE(signature.size(), kMaxKeySignatureBytes);
    EXPECT_TRUE(VerifyWrappedKey(key, {7, std::string(kWrapped), signature}));
  }
}

struct Change {
  const char* name;
  void (*apply)(ModelKey& key, ModelKey::Version& version);
};

class ChangedKey : public KeySignature, public testing::WithParamInterface<Change> {};

TEST_P(ChangedKey, IsNotWhatWasSigned) {
  ModelKey key = Key();
  ModelKey::Version version{7, std::string(kWrapped), SignedBy(authority_)};
  ASSERT_TRUE(VerifyWrappedKey(key, version));
  GetParam().apply(key, version);
  const auto verified = VerifyWrappedKey(key, version);
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, ReasonCode::kKeySignatureInvalid);
}

INSTANTIATE_TEST_SUITE_P(
    Members, ChangedKey,
    testing::Values(Change{"Namespace",
                           [](ModelKey& key, ModelKey::Version&) { key.namespace_name = "model"; }},
                    Change{"Name", [](ModelKey& key, ModelKey::Version&) { key.name = "dev"; }},
                    Change{"Resource", [](ModelKey& key, ModelKey::Version&) { key.resource += "2"; }},
                    Change{"Version", [](ModelKey&, ModelKey::Version& version) { version.version = 8; }},
                    Change{"Wrapped", [](ModelKey&, ModelKey::Version& version) { version.wrapped += "e"; }},
                    Change{"NoWrapped", [](ModelKey&, ModelKey::Version& version) { version.wrapped = ""; }}),
    [](const auto& change) { return change.param.name; });

TEST_F(KeySignature, OfAnotherAuthorityIsAMismatch) {
  const auto verified = Verify(SignedBy(EcPrivateKey::Generate(Curve::kP256)));
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, ReasonCode::kPolicyAuthorityMismatch);
}

TEST_F(KeySignature, OfAStrangerUnderTheAuthoritysKeyIdIsInvalid) {
  const std::string own = SignedBy(authority_);
  const std::string strange = SignedBy(EcPrivateKey::Generate(Curve::kP256));
  ExpectInvalid(own.substr(0, own.rfind('.')) + strange.substr(strange.rfind('.')));
}

TEST_F(KeySignature, OfAnotherTypeOfDocumentIsInvalid) {
  for (const std::string_view type : {"portcullis-policy+jws", "PORTCULLIS-MODEL-KEY+JWS", "JWT", ""})
    ExpectInvalid(crypto::SignDetachedJws(authority_, type, AsBytes(kStatement)));
}

TEST_F(KeySignature, LosesItsForceWithAnyCharacter) {
  const std::string signature = SignedBy(authority_);
  for (std::size_t i = 0; i < signature.size(); ++i) {
    std::string changed = signature;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(Verify(changed)) << i;
    EXPECT_FALSE(Verify(signature.substr(0, i))) << i;
  }
  ExpectInvalid(signature + "A");
}

struct HeaderDefect {
  const char* name;
  void (*spoil)(Json& header);
};

class KeySignatureHeader : public KeySignature, public testing::WithParamInterface<HeaderDefect> {};

TEST_P(KeySignatureHeader, IsRefusedThoughTheSignatureIsGood) {
  Json header = GoodHeader();
  GetParam().spoil(header);
  ExpectInvalid(Forged(header));
}

INSTANTIATE_TEST_SUITE_P(
    Defects, KeySignatureHeader,
    testing::Values(HeaderDefect{"AlgNone", [](Json& h) { h.Set("alg", "none"); }},
                    HeaderDefect{"AlgSymmetric", [](Json& h) { h.Set("alg", "HS256"); }},
                    HeaderDefect{"AlgOfAnotherCurve", [](Json& h) { h.Set("alg", "ES384"); }},
                    HeaderDefect{"NoAlg", [](Json& h) { h.Erase("alg"); }},
                    HeaderDefect{"NoType", [](Json& h) { h.Erase("typ"); }},
                    HeaderDefect{"NoKeyId", [](Json& h) { h.Erase("kid"); }},
                    HeaderDefect{"KeyIdIsNoText", [](Json& h) { h.Set("kid", 1); }},
                    HeaderDefect{"PayloadNotEncoded", [](Json& h) { h.Set("b64", false); }},
                    HeaderDefect{"Critical", [](Json& h) { h.Set("crit", Json::Array({"b64"})); }},
                    HeaderDefect{"KeyInHeader", [](Json& h) { h.Set("jwk", Json::Object({})); }},
                    HeaderDefect{"KeyByAddress", [](Json& h) { h.Set("jku", "https://example.org"); }}),
    [](const auto& defect) { return defect.param.name; });

TEST_F(KeySignature, OfAnotherShapeIsInvalid) {
  const std::string good = SignedBy(authority_);
  const std::string header = good.substr(0, good.find('.'));
  const std::string signature = good.substr(good.rfind('.') + 1);
  const std::string payload = codec::EncodeBase64Url(AsBytes(kStatement));
  const auto with_signature = [&](ByteBuffer bytes) { return header + ".." + codec::EncodeBase64Url(bytes); };
  for (const std::string& text :
       {std::string(),
        std::string("."),
        std::string(".."),
        header,
        header + "..",
        ".." + signature,
        header + "." + signature,
        header + "." + payload + "." + signature,
        header + "..." + signature,
        good + ".",
        "." + good,
        good + "=",
        good + "\n",
        " " + good,
        header + "=.." + signature,
        std::string(kWrapped),
        codec::ToText(Json::Object({{"protected", header}, {"signature", signature}})),
        with_signature(ByteBuffer(64)),
        with_signature(ByteBuffer(64, std::byte{0xFF})),
        with_signature(ByteBuffer(63, std::byte{1})),
        with_signature(ByteBuffer(72, std::byte{0x30}))})
    ExpectInvalid(text);
}

}  // namespace
}  // namespace portcullis::keystore

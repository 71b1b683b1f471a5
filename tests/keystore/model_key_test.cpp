#include <gtest/gtest.h>

#include "keystore/keystore.h"

namespace portcullis::keystore {
namespace {

codec::Json Version(std::int64_t number) {
  return codec::Json::Object({{"version", number}, {"wrapped", "a.b.c.d.e"}, {"signature", "f..g"}});
}

codec::Json Spec() {
  static const auto authority = crypto::EcPrivateKey::Generate(crypto::Curve::kP384);
  return codec::Json::Object({{"authority", authority.public_key().ToJwk()},
                              {"resource", "models/key/llama-3.1"},
                              {"versions", codec::Json::Array({Version(1)})}});
}

TEST(ParseModelKey, ReadsAuthorityResourceAndVersions) {
  codec::Json spec = Spec();
  spec.Set("versions", codec::Json::Array({Version(7), Version(2)}));
  const auto key = ParseModelKey("models", "llama", spec);
  ASSERT_TRUE(key) << key.error().ToString();
  EXPECT_EQ(key->namespace_name, "models");
  EXPECT_EQ(key->name, "llama");
  EXPECT_EQ(key->resource, "models/key/llama-3.1");
  EXPECT_EQ(key->authority.curve(), crypto::Curve::kP384);
  ASSERT_EQ(key->versions.size(), 2u);
  EXPECT_EQ(key->versions[0].version, 2);
  EXPECT_EQ(key->versions[1].version, 7);
  EXPECT_EQ(key->versions[1].wrapped, "a.b.c.d.e");
  EXPECT_EQ(key->versions[1].signature, "f..g");
}

struct Defect {
  const char* name;
  const char* place;  // what the error names
  void (*spoil)(codec::Json& spec);
};

template <std::size_t N>
void SetResource(codec::Json& spec, const char (&resource)[N]) {
  spec.Set("resource", std::string(resource, N - 1));
}

class ModelKeyDefect : public testing::TestWithParam<Defect> {};

TEST_P(ModelKeyDefect, IsRefusedByItsPlace) {
  codec::Json spec = Spec();
  ASSERT_TRUE(ParseModelKey("models", "llama", spec));
  GetParam().spoil(spec);
  const auto key = ParseModelKey("models", "llama", spec);
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().code, ReasonCode::kRequestMalformed);
  EXPECT_NE(key.error().where.find(GetParam().place), std::string::npos) << key.error().ToString();
}

using codec::Json;

INSTANTIATE_TEST_SUITE_P(
    Specs, ModelKeyDefect,
    testing::Values(
        Defect{"NoAuthority", "authority", [](Json& s) { s.Erase("authority"); }},
        Defect{"AuthorityAsText", "authority", [](Json& s) { s.Set("authority", "key"); }},
        Defect{"PrivateAuthority", "authority", [](Json& s) { s.Member("authority").Set("d", "AAAA"); }},
        Defect{"AuthorityOffTheCurve", "authority",
               [](Json& s) { s.Member("authority").Set("x", *s.Find("authority")->Find("y")); }},
        Defect{"SymmetricAuthority", "authority",
               [](Json& s) {
                 s.Set("authority", Json::Object({{"kty", "oct"}, {"k", "AAAA"}}));
               }},
        Defect{"NoResource", "resource", [](Json& s) { s.Erase("resource"); }},
        Defect{"AnotherNamespace", "resource", [](Json& s) { SetResource(s, "others/key/llama"); }},
        Defect{"TwoSegments", "resource", [](Json& s) { SetResource(s, "models/key"); }},
        Defect{"FourSegments", "resource", [](Json& s) { SetResource(s, "models/key/llama/3"); }},
        Defect{"EmptySegment", "resource", [](Json& s) { SetResource(s, "models//llama"); }},
        Defect{"EmptyTag", "resource", [](Json& s) { SetResource(s, "models/key/"); }},
        Defect{"LeadingSlash", "resource", [](Json& s) { SetResource(s, "/models/key/llama"); }},
        Defect{"DotSegment", "resource", [](Json& s) { SetResource(s, "models/../llama"); }},
        Defect{"HiddenTag", "resource", [](Json& s) { SetResource(s, "models/key/.llama"); }},
        Defect{"EscapedSlash", "resource", [](Json& s) { SetResource(s, "models/key/a%2fb"); }},
        Defect{"Space", "resource", [](Json& s) { SetResource(s, "models/key/a b"); }},
        Defect{"NotAscii", "resource", [](Json& s) { SetResource(s, "models/key/ll\xC3\xA4ma"); }},
        Defect{"Nul", "resource", [](Json& s) { SetResource(s, "models/key/a\0b"); }},
        Defect{"LongTag", "resource",
               [](Json& s) { s.Set("resource", "models/key/" + std::string(254, 'a')); }},
        Defect{"NoVersions", "versions", [](Json& s) { s.Erase("versions"); }},
        Defect{"EmptyVersions", "versions", [](Json& s) { s.Set("versions", Json::Array({})); }},
        Defect{"VersionZero", "versions[0].version",
               [](Json& s) { s.Set("versions", Json::Array({Version(0)})); }},
        Defect{"VersionTooHigh", "versions[0].version",
               [](Json& s) { s.Set("versions", Json::Array({Version(kMaxVersion + 1)})); }},
        Defect{"VersionTwice", "versions",
               [](Json& s) {
                 s.Set("versions", Json::Array({Version(1), Version(1)}));
               }},
        Defect{"VersionAsText", "versions[0].version",
               [](Json& s) { s.Member("versions").if_array()->at(0).Set("version", "1"); }},
        Defect{"NoWrapped", "versions[0].wrapped",
               [](Json& s) { s.Member("versions").if_array()->at(0).Erase("wrapped"); }},
        Defect{"LongWrapped", "versions[0].wrapped",
               [](Json& s) {
                 s.Member("versions")
                     .if_array()
                     ->at(0)
                     .Set("wrapped", std::string(crypto::kMaxJoseBytes + 1, 'a'));
               }},
        Defect{"NoSignature", "versions[0].signature",
               [](Json& s) { s.Member("versions").if_array()->at(0).Erase("signature"); }},
        Defect{
            "SignatureAsList", "versions[0].signature",
            [](Json& s) { s.Member("versions").if_array()->at(0).Set("signature", Json::Array({"f..g"})); }},
        Defect{"LongSignature", "versions[0].signature",
               [](Json& s) {
                 s.Member("versions")
                     .if_array()
                     ->at(0)
                     .Set("signature", std::string(kMaxKeySignatureBytes + 1, 'a'));
               }},
        Defect{"UnknownMemberOfAVersion", "key",
               [](Json& s) { s.Member("versions").if_array()->at(0).Set("key", "plain"); }},
        Defect{"TooManyVersions", "versions",
               [](Json& s) {
                 for (std::int64_t i = 2; i <= static_cast<std::int64_t>(kMaxVersions) + 1; ++i)
                   s.Member("versions").Push(Version(i));
               }},
        Defect{"UnknownMember", "resources", [](Json& s) { s.Set("resources", "models/key/llama"); }}),
    [](const auto& defect) { return defect.param.name; });

TEST(ParseModelKey, AcceptsTheMostVersionsAndTheLongestTexts) {
  codec::Json spec = Spec();
  spec.Set("versions", codec::Json::Array({}));
  for (std::int64_t i = 1; i <= static_cast<std::int64_t>(kMaxVersions); ++i)
    spec.Member("versions").Push(Version(i));
  EXPECT_TRUE(ParseModelKey("models", "llama", spec));
  spec.Member("versions").if_array()->at(0).Set("wrapped", std::string(crypto::kMaxJoseBytes, 'a'));
  spec.Member("versions").if_array()->at(0).Set("signature", std::string(kMaxKeySignatureBytes, 'a'));
  EXPECT_TRUE(ParseModelKey("models", "llama", spec));
}

TEST(ParseModelKey, RefusesNamesThatNoObjectHas) {
  for (const char* name : {"", "Llama", "a/b", "..", "-a", "a-", "a b", "a_b"}) {
    const auto key = ParseModelKey("models", name, Spec());
    ASSERT_FALSE(key) << name;
    EXPECT_EQ(key.error().where, "name");
    EXPECT_FALSE(ParseModelKey(name, "llama", Spec())) << name;
  }
}

TEST(ParseModelKey, RefusesWhatIsNoObject) {
  for (const codec::Json& spec : {codec::Json(), codec::Json("text"), codec::Json::Array({})})
    EXPECT_FALSE(ParseModelKey("models", "llama", spec));
}

}  // namespace
}  // namespace portcullis::keystore

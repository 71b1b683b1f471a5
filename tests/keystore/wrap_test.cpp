#include "keystore/wrap.h"

#include <gtest/gtest.h>

#include "keystore/signature.h"
#include "tests/keystore/store_fixture.h"

namespace portcullis::keystore {
namespace {

using codec::Json;
using crypto::Curve;
using crypto::EcPrivateKey;

constexpr std::string_view kPlain = "a model key of thirty-two bytes!";

class Wrapping : public testing::Test {
 protected:
  ModelKey Key() const {
    return {.namespace_name = id_.namespace_name,
            .name = id_.name,
            .authority = authority_.public_key(),
            .resource = id_.resource,
            .versions = {}};
  }
  Json GoodHeader() const {
    return Json::Object({{"authority", authority_.public_key().Thumbprint()},
                         {"namespace", id_.namespace_name},
                         {"name", id_.name},
                         {"resource", id_.resource},
                         {"version", id_.version}});
  }
  /// A JWE under any header, which the authority signed as this version all the same.
  ModelKey::Version SignedUnder(const Json& header) {
    std::string wrapped = crypto::EncryptJwe(broker_.public_key(), SecretBytes::CopyOf(AsBytes(kPlain)),
                                             random_, *header.if_object())
                              .ToCompact();
    std::string signature = SignWrappedKey(id_, wrapped, authority_);
    return {id_.version, std::move(wrapped), std::move(signature)};
  }

  const KeyVersionId id_{"models", "llama", "models/key/llama", 3};
  const EcPrivateKey broker_ = EcPrivateKey::Generate(Curve::kP256);
  const EcPrivateKey authority_ = EcPrivateKey::Generate(Curve::kP256);
  crypto::SystemRandom random_;
};

TEST_F(Wrapping, IsUndoneByTheBrokerAlone) {
  const auto version =
      WrapModelKey(SecretBytes::CopyOf(AsBytes(kPlain)), broker_.public_key(), id_, authority_, random_);
  EXPECT_EQ(version.version, 3);
  const auto plain = UnwrapModelKey(Key(), version, broker_);
  ASSERT_TRUE(plain) << plain.error().ToString();
  EXPECT_EQ(test::Revealed(*plain), kPlain);
  const auto other = UnwrapModelKey(Key(), version, EcPrivateKey::Generate(Curve::kP256));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ReasonCode::kKeyUnavailable);
}

TEST_F(Wrapping, NamesTheKeyInTheProtectedHeader) {
  const auto version =
      WrapModelKey(SecretBytes::CopyOf(AsBytes(kPlain)), broker_.public_key(), id_, authority_, random_);
  const Json header = crypto::Jwe::FromCompact(version.wrapped).value().Header().value();
  const Json good = GoodHeader();
  for (const auto& [name, value] : *good.if_object()) {
    const Json* member = header.Find(name);
    ASSERT_NE(member, nullptr) << name;
    EXPECT_EQ(*member, value) << name;
  }
}

TEST_F(Wrapping, OfAStrangerIsNotOpened) {
  const auto version = WrapModelKey(SecretBytes::CopyOf(AsBytes(kPlain)), broker_.public_key(), id_,
                                    EcPrivateKey::Generate(Curve::kP256), random_);
  EXPECT_EQ(UnwrapModelKey(Key(), version, broker_).error().code, ReasonCode::kPolicyAuthorityMismatch);
  ModelKey::Version unsigned_version = SignedUnder(GoodHeader());
  ASSERT_TRUE(UnwrapModelKey(Key(), unsigned_version, broker_));
  unsigned_version.signature.clear();
  EXPECT_EQ(UnwrapModelKey(Key(), unsigned_version, broker_).error().code, ReasonCode::kKeySignatureInvalid);
}

struct HeaderDefect {
  const char* name;
  ReasonCode code;
  void (*spoil)(Json& header);
};

class WrappedHeader : public Wrapping, public testing::WithParamInterface<HeaderDefect> {};

TEST_P(WrappedHeader, IsHeldToTheObjectThoughTheAuthoritySigned) {
  Json header = GoodHeader();
  GetParam().spoil(header);
  const auto plain = UnwrapModelKey(Key(), SignedUnder(header), broker_);
  ASSERT_FALSE(plain);
  EXPECT_EQ(plain.error().code, GetParam().code) << plain.error().ToString();
}

INSTANTIATE_TEST_SUITE_P(
    Defects, WrappedHeader,
    testing::Values(
        HeaderDefect{"OtherAuthority", ReasonCode::kPolicyAuthorityMismatch,
                     [](Json& h) { h.Set("authority", "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"); }},
        HeaderDefect{"NoAuthority", ReasonCode::kPolicyAuthorityMismatch,
                     [](Json& h) { h.Erase("authority"); }},
        HeaderDefect{"OtherNamespace", ReasonCode::kKeyUnavailable,
                     [](Json& h) { h.Set("namespace", "others"); }},
        HeaderDefect{"NoNamespace", ReasonCode::kKeyUnavailable, [](Json& h) { h.Erase("namespace"); }},
        HeaderDefect{"OtherName", ReasonCode::kKeyUnavailable, [](Json& h) { h.Set("name", "dev"); }},
        HeaderDefect{"NoName", ReasonCode::kKeyUnavailable, [](Json& h) { h.Erase("name"); }},
        HeaderDefect{"OtherResource", ReasonCode::kKeyUnavailable,
                     [](Json& h) { h.Set("resource", "models/key/dev"); }},
        HeaderDefect{"NoResource", ReasonCode::kKeyUnavailable, [](Json& h) { h.Erase("resource"); }},
        HeaderDefect{"OtherVersion", ReasonCode::kKeyUnavailable, [](Json& h) { h.Set("version", 2); }},
        HeaderDefect{"VersionAsText", ReasonCode::kKeyUnavailable, [](Json& h) { h.Set("version", "3"); }},
        HeaderDefect{"NoVersion", ReasonCode::kKeyUnavailable, [](Json& h) { h.Erase("version"); }},
        HeaderDefect{"Nothing", ReasonCode::kPolicyAuthorityMismatch, [](Json& h) { h = Json::Object({}); }}),
    [](const auto& defect) { return defect.param.name; });

}  // namespace
}  // namespace portcullis::keystore

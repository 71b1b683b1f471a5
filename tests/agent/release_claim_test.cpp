#include "agent/release_claim.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/agent/guest.h"

namespace portcullis::agent {
namespace {

using codec::Json;

const crypto::EcPrivateKey& BrokerKey() {
  static const auto key = crypto::EcPrivateKey::Generate(crypto::Curve::kP256);
  return key;
}

TEST(ParseTrustedBroker, ReadsWhatTheWebhookWrote) {
  const auto broker = ParseTrustedBroker(test::AnnotationWith(test::Claim(BrokerKey().public_key())));
  ASSERT_TRUE(broker) << broker.error().ToString();
  EXPECT_EQ(broker->release_id, test::kReleaseId);
  EXPECT_EQ(broker->namespace_name, "demo");
  EXPECT_EQ(broker->key, "llama");
  EXPECT_EQ(broker->resource, test::kResource);
  EXPECT_EQ(broker->url, "https://kbs.example:8443");
  EXPECT_EQ(broker->ca_pem, "the CA");
  EXPECT_EQ(broker->signing_key, BrokerKey().public_key());
  EXPECT_EQ(broker->init_data.data.size(), 1u);
}

struct Case {
  const char* name;
  std::function<void(Json&)> spoil;
};

class SpoiltClaim : public ::testing::TestWithParam<Case> {};

TEST_P(SpoiltClaim, IsRefusedAsInitDataMismatch) {
  Json claim = test::Claim(BrokerKey().public_key());
  GetParam().spoil(claim);
  const auto broker = ParseTrustedBroker(test::AnnotationWith(claim));
  ASSERT_FALSE(broker);
  EXPECT_EQ(broker.error().code, ReasonCode::kInitDataMismatch) << broker.error().ToString();
  EXPECT_TRUE(broker.error().where.starts_with("portcullis.json")) << broker.error().ToString();
}

INSTANTIATE_TEST_SUITE_P(
    ParseTrustedBroker, SpoiltClaim,
    ::testing::Values(Case{"AnotherVersion", [](Json& c) { c.Set("version", 2); }},
                      Case{"VersionAsText", [](Json& c) { c.Set("version", "1"); }},
                      Case{"NoVersion", [](Json& c) { c.Erase("version"); }},
                      Case{"NoReleaseId", [](Json& c) { c.Erase("releaseId"); }},
                      Case{"ReleaseIdTooLong", [](Json& c) { c.Set("releaseId", std::string(65, 'a')); }},
                      Case{"NoNamespace", [](Json& c) { c.Erase("namespace"); }},
                      Case{"NoKey", [](Json& c) { c.Erase("key"); }},
                      Case{"NoResource", [](Json& c) { c.Erase("resource"); }},
                      Case{"NoBroker", [](Json& c) { c.Erase("kbs"); }},
                      Case{"BrokerAsText", [](Json& c) { c.Set("kbs", "https://kbs"); }},
                      Case{"NoUrl", [](Json& c) { c.Member("kbs").Erase("url"); }},
                      Case{"NoCa", [](Json& c) { c.Member("kbs").Erase("ca"); }},
                      Case{"NoSigningKey", [](Json& c) { c.Member("kbs").Erase("signingKey"); }},
                      Case{"SigningKeyOffTheCurve",
                           [](Json& c) {
                             c.Member("kbs").Member("signingKey").Set("x", std::string(43, 'A'));
                           }},
                      Case{"SigningKeyForEncryption",
                           [](Json& c) { c.Member("kbs").Member("signingKey").Set("use", "enc"); }}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(ParseTrustedBroker, RefusesInitDataWithoutAClaim) {
  const auto broker =
      ParseTrustedBroker(codec::EncodeInitDataAnnotation(codec::MakeInitData({{"aa.toml", "of the user"}})));
  ASSERT_FALSE(broker);
  EXPECT_EQ(broker.error().code, ReasonCode::kInitDataMismatch);
}

TEST(ParseTrustedBroker, RefusesAClaimThatIsNoJson) {
  const auto broker =
      ParseTrustedBroker(codec::EncodeInitDataAnnotation(codec::MakeInitData({{"portcullis.json", "{"}})));
  ASSERT_FALSE(broker);
  EXPECT_EQ(broker.error().code, ReasonCode::kRequestMalformed);
}

TEST(ParseTrustedBroker, RefusesWhatIsNoInitData) {
  for (const char* text : {"", "!", "aGVsbG8="}) {
    const auto broker = ParseTrustedBroker(text);
    ASSERT_FALSE(broker) << text;
    EXPECT_EQ(broker.error().code, ReasonCode::kRequestMalformed);
  }
}

}  // namespace
}  // namespace portcullis::agent

#include "operator/admission/certificate.h"

#include <gtest/gtest.h>

#include "codec/text.h"
#include "crypto/certificate.h"
#include "kube/objects.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_kube.h"

namespace portcullis::control {
namespace {

using codec::Json;
using std::chrono::hours;

constexpr hours kDay{24};

std::vector<crypto::Certificate> ParseAll(std::string_view pem) {
  std::vector<crypto::Certificate> out;
  const auto blocks = codec::ParsePem(pem);
  if (blocks)
    for (const auto& block : *blocks) out.push_back(crypto::Certificate::Parse(block.der).value());
  return out;
}

class WebhookCertificateTest : public ::testing::Test {
 protected:
  WebhookCertificateTest() {
    for (const kube::Resource& resource : {kube::kMutatingWebhooks, kube::kValidatingWebhooks}) {
      Json configuration = kube::NewObject(resource, {"", "portcullis"});
      configuration.Set("webhooks", Json::Array({Json::Object({{"name", "pods.portcullis.dev"},
                                                               {"clientConfig", codec::JsonObject()}})}));
      api.Put(resource, configuration);
    }
  }
  static WebhookCertificate::Target Target() {
    return {"portcullis", "webhook-ca", "portcullis-webhook", "portcullis", "portcullis"};
  }
  void MustRefresh(WebhookCertificate& of) {
    const auto refreshed = of.Refresh();
    ASSERT_TRUE(refreshed) << refreshed.error().ToString();
  }
  static crypto::Certificate Leaf(const WebhookCertificate& of) { return ParseAll(of.Current().first).at(0); }
  std::vector<crypto::Certificate> Bundle(const kube::Resource& resource = kube::kMutatingWebhooks) const {
    const auto configuration = api.Peek(resource, {"", "portcullis"});
    const auto bundle = codec::DecodeBase64(
        configuration->Find("webhooks")->if_array()->at(0).TextAt({"clientConfig", "caBundle"}));
    return ParseAll(AsText(bundle.value()));
  }
  bool Trusted(const WebhookCertificate& of) const {
    const auto leaf = Leaf(of);
    for (const auto& authority : Bundle())
      if (leaf.IsSignedBy_Ecdsa(authority) && authority.ValidAt(clock.Now()))
        return leaf.ValidAt(clock.Now());
    return false;
  }
  test::FakeKube api;
  test::FakeClock clock;
  metrics::Metrics metrics{"webhook"};
  WebhookCertificate certificate{api, Target(), clock, metrics};
};

TEST_F(WebhookCertificateTest, HasNothingBeforeTheFirstRefresh) {
  EXPECT_EQ(certificate.Current().first, "");
  EXPECT_FALSE(certificate.trusted());
}

TEST_F(WebhookCertificateTest, MakesAnAuthorityALeafAndTrustInBothConfigurations) {
  MustRefresh(certificate);
  EXPECT_TRUE(certificate.trusted());
  EXPECT_TRUE(Trusted(certificate));
  EXPECT_TRUE(Bundle()[0].is_ca());
  EXPECT_FALSE(Leaf(certificate).is_ca());
  EXPECT_EQ(Bundle(kube::kValidatingWebhooks).at(0).fingerprint(), Bundle().at(0).fingerprint());
  EXPECT_FALSE(certificate.Current().second->empty());
}

TEST_F(WebhookCertificateTest, KeepsTheLeafsKeyInMemory) {
  MustRefresh(certificate);
  const auto secret = api.Peek(kube::kSecrets, {"portcullis", "webhook-ca"});
  ASSERT_TRUE(secret);
  const bool stored = certificate.Current().second->Expose([&](Bytes key) {
    return secret->TextAt({"data", "tls.key"}) == codec::EncodeBase64(key);
  });
  EXPECT_FALSE(stored);
}

TEST_F(WebhookCertificateTest, WritesNothingTheSecondTime) {
  MustRefresh(certificate);
  const auto version = api.resource_version();
  const auto leaf = Leaf(certificate).fingerprint();
  MustRefresh(certificate);
  EXPECT_EQ(api.resource_version(), version);
  EXPECT_EQ(Leaf(certificate).fingerprint(), leaf);
}

TEST_F(WebhookCertificateTest, ASecondReplicaServesUnderTheSameAuthority) {
  WebhookCertificate other(api, Target(), clock, metrics);
  MustRefresh(certificate);
  MustRefresh(other);
  EXPECT_EQ(api.CountCalls("create", "secrets"), 1u);
  EXPECT_EQ(Bundle().size(), 1u);
  EXPECT_TRUE(Trusted(certificate));
  EXPECT_TRUE(Trusted(other));
  EXPECT_NE(Leaf(certificate).fingerprint(), Leaf(other).fingerprint());
}

TEST_F(WebhookCertificateTest, TheReplicaThatComesSecondTakesTheFirstsAuthority) {
  WebhookCertificate other(api, Target(), clock, metrics);
  MustRefresh(other);
  // As if both had looked before either had created.
  api.FailNext("get", "secrets", {ReasonCode::kNotFound, "not yet"});
  MustRefresh(certificate);
  EXPECT_EQ(Bundle().size(), 1u);
  EXPECT_TRUE(Trusted(certificate));
  EXPECT_TRUE(Trusted(other));
}

TEST_F(WebhookCertificateTest, RenewsTheLeafAtTwoThirdsOfItsWeek) {
  MustRefresh(certificate);
  const auto first = Leaf(certificate).fingerprint();
  clock.Advance(4 * kDay);
  MustRefresh(certificate);
  EXPECT_EQ(Leaf(certificate).fingerprint(), first);
  clock.Advance(kDay);
  MustRefresh(certificate);
  EXPECT_NE(Leaf(certificate).fingerprint(), first);
  EXPECT_EQ(Bundle().size(), 1u) << "the authority stays";
  EXPECT_TRUE(Trusted(certificate));
}

TEST_F(WebhookCertificateTest, RotatesTheAuthorityAtTwoThirdsAndTrustsBoth) {
  WebhookCertificate other(api, Target(), clock, metrics);
  MustRefresh(certificate);
  const auto first = Bundle().at(0).fingerprint();
  clock.Advance(242 * kDay);
  MustRefresh(certificate);
  EXPECT_EQ(Bundle().at(0).fingerprint(), first);
  MustRefresh(other);
  clock.Advance(2 * kDay);
  MustRefresh(certificate);
  ASSERT_EQ(Bundle().size(), 2u);
  EXPECT_NE(Bundle()[0].fingerprint(), first);
  EXPECT_EQ(Bundle()[1].fingerprint(), first);
  EXPECT_TRUE(Trusted(certificate));
  EXPECT_TRUE(Trusted(other)) << "which has not looked since";
  MustRefresh(other);
  EXPECT_TRUE(Leaf(other).IsSignedBy_Ecdsa(Bundle()[0]));
  EXPECT_EQ(Bundle().size(), 2u);
}

TEST_F(WebhookCertificateTest, ForgetsTheFormerAuthorityWhenItExpired) {
  MustRefresh(certificate);
  clock.Advance(250 * kDay);
  MustRefresh(certificate);
  EXPECT_EQ(Bundle().size(), 2u);
  clock.Advance(120 * kDay);
  MustRefresh(certificate);
  EXPECT_EQ(Bundle().size(), 1u);
  EXPECT_TRUE(Trusted(certificate));
}

TEST_F(WebhookCertificateTest, ServesUnderANewAuthorityOnlyOnceItIsTrusted) {
  MustRefresh(certificate);
  clock.Advance(250 * kDay - 2 * kDay);
  const auto before = Leaf(certificate).fingerprint();
  for (const char* plural : {"mutatingwebhookconfigurations", "validatingwebhookconfigurations"}) {
    api.FailNext("patch", plural, {ReasonCode::kUnreachable, "down"});
    EXPECT_FALSE(certificate.Refresh()) << plural;
    EXPECT_EQ(Leaf(certificate).fingerprint(), before) << plural;
  }
  MustRefresh(certificate);
  EXPECT_NE(Leaf(certificate).fingerprint(), before);
  EXPECT_TRUE(Trusted(certificate));
}

TEST_F(WebhookCertificateTest, HasALeafToStartWithThoughTheConfigurationsAreMissing) {
  api.Remove(kube::kMutatingWebhooks, {"", "portcullis"});
  EXPECT_FALSE(certificate.Refresh());
  EXPECT_NE(certificate.Current().first, "");
  EXPECT_FALSE(certificate.trusted());
}

TEST_F(WebhookCertificateTest, PutsBackABundleThatSomeoneChanged) {
  MustRefresh(certificate);
  Json configuration = *api.Peek(kube::kMutatingWebhooks, {"", "portcullis"});
  configuration.Member("webhooks").if_array()->at(0).Member("clientConfig").Set("caBundle", "AAAA");
  api.Put(kube::kMutatingWebhooks, configuration);
  MustRefresh(certificate);
  EXPECT_TRUE(Trusted(certificate));
}

TEST_F(WebhookCertificateTest, ReplacesASecretThatCanNotBeRead) {
  Json secret = kube::NewObject(kube::kSecrets, {"portcullis", "webhook-ca"});
  secret.Set("type", "kubernetes.io/tls")
      .Set("data", Json::Object({{"tls.crt", "AAAA"}, {"tls.key", "AAAA"}}));
  api.Put(kube::kSecrets, secret);
  MustRefresh(certificate);
  EXPECT_TRUE(Trusted(certificate));
}

TEST_F(WebhookCertificateTest, MakesNoAuthorityWhileTheSecretCanNotBeRead) {
  api.FailNext("get", "secrets", {ReasonCode::kUnreachable, "down"});
  EXPECT_FALSE(certificate.Refresh());
  EXPECT_EQ(api.CountCalls("create", "secrets"), 0u);
  EXPECT_EQ(api.CountCalls("update", "secrets"), 0u);
}

}  // namespace
}  // namespace portcullis::control

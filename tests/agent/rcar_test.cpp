#include "agent/rcar.h"

#include <gtest/gtest.h>

#include "tests/agent/fake_broker.h"
#include "tests/lab/programs/lab_tsm.h"

namespace portcullis::agent {
namespace {

using codec::Json;

// kbs-protocol.md, 2.1, vector P.
TEST(ReportDataFor, IsSha384OfTheCanonicalRuntimeData) {
  const Json jwk = Json::Object({{"kty", "EC"},
                                 {"crv", "P-256"},
                                 {"alg", "ECDH-ES+A256KW"},
                                 {"x", "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0"},
                                 {"y", "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps"}});
  const auto data = ReportDataFor("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", jwk);
  EXPECT_EQ(
      codec::EncodeHex(data.bytes()),
      "24d7b8634a25cc74ab1ce3c78b8cd9ec5a23e33f3a66ce3a04cf6b9a48f11d56986edb023749150a64850073a9c2e043" +
          std::string(32, '0'));
}

TEST(ReportDataFor, DependsOnNonceAndKey) {
  const Json jwk = Json::Object({{"kty", "EC"}});
  EXPECT_NE(ReportDataFor("a", jwk), ReportDataFor("b", jwk));
  EXPECT_NE(ReportDataFor("a", jwk), ReportDataFor("a", Json::Object({{"kty", "RSA"}})));
}

class RcarTest : public ::testing::TestWithParam<crypto::Curve> {
 protected:
  const crypto::EcPrivateKey signing_key = crypto::EcPrivateKey::Generate(crypto::Curve::kP256);
  const crypto::EcPrivateKey stranger = crypto::EcPrivateKey::Generate(crypto::Curve::kP256);
  const std::string annotation = test::AnnotationWith(test::Claim(signing_key.public_key()));
  const TrustedBroker trusted = ParseTrustedBroker(annotation).value();
  lab::LabTsm files{lab::LabPki::Shared(), test::LaunchedWith(annotation)};
  test::SeededRandom random;
  Tsm tsm{files, random, [](std::chrono::milliseconds) {}};
  const std::unique_ptr<Tee> tee = OpenTee(tsm, files).value();
  test::FakeBroker broker{signing_key};
  std::optional<Refusal> refusal;

  Result<SecretBytes> Attest(crypto::Curve curve = crypto::Curve::kP256) {
    const auto tee_key = crypto::EcPrivateKey::Generate(curve);
    return RcarClient(broker, *tee, trusted, tee_key).Attest(refusal);
  }
  void ExpectRefused(ReasonCode code) {
    const auto key = Attest();
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().code, code) << key.error().ToString();
  }
};

TEST_P(RcarTest, OpensTheKeyThatWasSealedToIt) {
  const auto key = Attest(GetParam());
  ASSERT_TRUE(key) << key.error().ToString();
  EXPECT_EQ(key->Expose([](Bytes bytes) { return ToText(bytes); }), "the model key");
  EXPECT_FALSE(refusal);
  EXPECT_EQ(broker.bodies[1].TextAt({"runtime-data", "tee-pubkey", "crv"}), NameOf(GetParam()));
}
INSTANTIATE_TEST_SUITE_P(EachCurve, RcarTest, ::testing::Values(crypto::Curve::kP256, crypto::Curve::kP521),
                         [](const auto& curve) {
                           return curve.param == crypto::Curve::kP256 ? "P256" : "P521";
                         });

using Rcar = RcarTest;

TEST_F(Rcar, AsksForItsReleaseAndSendsWhatTheProtocolSays) {
  ASSERT_TRUE(Attest());
  ASSERT_EQ(broker.requests, (std::vector<std::string>{"POST /kbs/v0/auth", "POST /kbs/v0/attest"}));
  const Json& auth = broker.bodies[0];
  EXPECT_EQ(auth.TextAt({"version"}), "0.4.0");
  EXPECT_EQ(auth.TextAt({"tee"}), "snp");
  EXPECT_EQ(auth.TextAt({"extra-params", "portcullis-release"}), test::kReleaseId);
  const Json& attest = broker.bodies[1];
  EXPECT_EQ(attest.TextAt({"init-data", "body"}), trusted.init_data.text);
  EXPECT_EQ(attest.TextAt({"runtime-data", "nonce"}), broker.nonce);
  EXPECT_EQ(attest.TextAt({"runtime-data", "tee-pubkey", "alg"}), "ECDH-ES+A256KW");
  EXPECT_FALSE(attest.TextAt({"tee-evidence", "primary_evidence", "auxblob"}).empty());
  EXPECT_EQ(attest.At({"tee-evidence", "additional_evidence"})->if_string()->size(), 0u);
  // The cookie goes back without its attributes.
  EXPECT_EQ(broker.cookie_sent, "kbs-session-id=sealed");
}

TEST_F(Rcar, RefusesATokenOfAnotherSigner) {
  broker.token_signer = &stranger;
  ExpectRefused(ReasonCode::kSignatureInvalid);
}

TEST_F(Rcar, RefusesATokenOfAnotherKind) {
  broker.token_type = "portcullis-policy+jws";
  ExpectRefused(ReasonCode::kSignatureInvalid);
}

TEST_F(Rcar, RefusesATokenForAnotherRelease) {
  broker.token_release = std::string(32, '0');
  ExpectRefused(ReasonCode::kSignatureInvalid);
}

TEST_F(Rcar, RefusesATokenOverAnotherNonce) {
  broker.token_nonce = "BBECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
  ExpectRefused(ReasonCode::kSignatureInvalid);
}

TEST_F(Rcar, RefusesAnAnswerWithoutAToken) {
  broker.spoil = [](Json& reply) { reply.Erase("token"); };
  ExpectRefused(ReasonCode::kSignatureInvalid);
}

TEST_F(Rcar, RefusesAKeyOfAnotherRelease) {
  broker.jwe_release = std::string(32, '0');
  ExpectRefused(ReasonCode::kSignatureInvalid);
}

TEST_F(Rcar, RefusesAKeyOfAnotherResource) {
  broker.jwe_resource = "demo/model/other";
  ExpectRefused(ReasonCode::kSignatureInvalid);
}

TEST_F(Rcar, RefusesAnAnswerWithoutAKey) {
  broker.spoil = [](Json& reply) { reply.Erase("release"); };
  ExpectRefused(ReasonCode::kRequestMalformed);
}

TEST_F(Rcar, CanNotOpenAKeySealedToAnother) {
  broker.sealed_to = stranger.public_key();
  ExpectRefused(ReasonCode::kKeyUnavailable);
}

TEST_F(Rcar, RefusesAChallengeWithoutNonceOrCookie) {
  broker.cookie = "";
  ExpectRefused(ReasonCode::kRequestMalformed);
  broker.cookie = "kbs-session-id=sealed";
  broker.nonce = "";
  ExpectRefused(ReasonCode::kRequestMalformed);
  EXPECT_EQ(broker.requests.size(), 2u) << "no evidence may be sent without a challenge";
}

TEST_F(Rcar, RefusesAnAnswerThatIsNoJson) {
  broker.auth_answers = {http::Response::Text(200, "hello")};
  ExpectRefused(ReasonCode::kRequestMalformed);
  broker.attest_answers = {http::Response::Text(200, "hello")};
  ExpectRefused(ReasonCode::kRequestMalformed);
}

TEST_F(Rcar, TellsTheBrokersReason) {
  broker.attest_answers = {test::RefusalOf(ReasonCode::kMeasurementNotAllowed, false)};
  ExpectRefused(ReasonCode::kMeasurementNotAllowed);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->code, ReasonCode::kMeasurementNotAllowed);
  EXPECT_FALSE(refusal->retryable);
  EXPECT_EQ(refusal->request_id, "r-1");
}

TEST_F(Rcar, TellsARefusedChallengeAsWell) {
  broker.auth_answers = {test::RefusalOf(ReasonCode::kReleaseUnknown, true)};
  ExpectRefused(ReasonCode::kReleaseUnknown);
  ASSERT_TRUE(refusal);
  EXPECT_TRUE(refusal->retryable);
}

TEST_F(Rcar, ForgetsTheRefusalOfATryBefore) {
  broker.attest_answers = {test::RefusalOf(ReasonCode::kReleaseUnknown, true)};
  ASSERT_FALSE(Attest());
  ASSERT_TRUE(refusal);
  ASSERT_TRUE(Attest());
  EXPECT_FALSE(refusal);
}

TEST_F(Rcar, PassesOnKnownReasonsOnly) {
  auto response = test::RefusalOf(ReasonCode::kDebugEnabled, false);
  Json body = codec::ParseJson(response.body).value();
  body.Set("reasons", Json::Array({"DebugEnabled", "\x1b[31mrm -rf /", 7, "TcbBelowFloor"}));
  response.body = codec::ToText(body);
  broker.attest_answers = {response};
  ExpectRefused(ReasonCode::kDebugEnabled);
  EXPECT_EQ(refusal->reasons, (std::vector<std::string>{"DebugEnabled", "TcbBelowFloor"}));
}

TEST_F(Rcar, DoesNotTakeAnUnknownCodeForARefusal) {
  auto response = test::RefusalOf(ReasonCode::kDebugEnabled, true);
  Json body = codec::ParseJson(response.body).value();
  body.Set("code", "Whatever");
  response.body = codec::ToText(body);
  broker.attest_answers = {response};
  const auto key = Attest();
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().code, ReasonCode::kRequestMalformed);
  EXPECT_EQ(key.error().ToString().find("Whatever"), std::string::npos);
  EXPECT_FALSE(refusal);
}

TEST_F(Rcar, TakesAFailingServerForUnreachable) {
  for (const int status : {429, 500, 502, 503}) {
    broker.attest_answers = {http::Response::Text(status, "<html>")};
    ExpectRefused(ReasonCode::kUnreachable);
  }
  for (const int status : {204, 302, 404, 418}) {
    broker.attest_answers = {http::Response::Text(status, "<html>")};
    ExpectRefused(ReasonCode::kRequestMalformed);
  }
}

TEST_F(Rcar, PassesOnThatTheBrokerIsUnreachable) {
  broker.auth_answers = {Error{ReasonCode::kUnreachable, "connection refused"}};
  ExpectRefused(ReasonCode::kUnreachable);
  EXPECT_FALSE(refusal);
}

}  // namespace
}  // namespace portcullis::agent

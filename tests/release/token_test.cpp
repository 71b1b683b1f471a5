// Tokens, sessions, and what they open.

#include "release/token.h"

#include "tests/release/broker_fixture.h"

namespace portcullis::test {
namespace {

using codec::Json;
using namespace std::chrono_literals;

class Tokens : public BrokerTest {
 protected:
  const LabGuest guest_ = Admit(1);
  const Answer answer_ = Attest(guest_);
  const std::string& token() const { return answer_.reply->token; }
  Result<release::TokenClaims> Verify(std::string_view text) const {
    return release::VerifyToken(identity_->signing.public_key(), text, clock_.Now());
  }
  ReasonCode Refusal(std::string_view text) {
    const auto sealed = broker_->Resource(text, "", kResource);
    return sealed ? ReasonCode::kInternalError : sealed.error().code;
  }
  std::string Signed(const crypto::EcPrivateKey& key, const Json& payload) const {
    return crypto::SignJws(key, "JWT", AsBytes(codec::ToText(payload)));
  }
  Json Payload() const {
    const auto payload = crypto::VerifyJws(identity_->signing.public_key(), "JWT", token());
    return codec::ParseJson(ToText(payload.value())).value();
  }
};

TEST_F(Tokens, SayWhatWasAttestedAndNoMore) {
  const auto claims = Verify(token());
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->release_id, guest_.release_id);
  EXPECT_EQ(claims->evidence_digest, ReleaseOf(guest_).evidence_digest);
  EXPECT_EQ(claims->token_id.size(), 32u);
  const Json payload = Payload();
  EXPECT_EQ(payload.TextAt({"submods", "cpu0", "ear.status"}), "affirming");
  EXPECT_EQ(payload.TextAt({"cnf", "jwk", "x"}), guest_.TeeKey().TextAt({"x"}));
  EXPECT_EQ(payload.TextAt({"aud"}), "portcullis-kbs");
  EXPECT_LT(token().size(), 8u * 1024);
}

TEST_F(Tokens, OpenTheResource) {
  const auto sealed = broker_->Resource(token(), "", kResource);
  ASSERT_TRUE(sealed);
  EXPECT_EQ(guest_.Open(*sealed), owner_.key());
  EXPECT_EQ(codec::ToText(*sealed), codec::ToText(*answer_.reply->release.Find("jwe")))
      << "byte for byte: P1's digest";
}

TEST_F(Tokens, AreWorthNothingWhenAltered) {
  const auto first_dot = token().find('.'), second_dot = token().rfind('.');
  for (const std::size_t at : {std::size_t{3}, first_dot + 5, (first_dot + second_dot) / 2, second_dot + 5}) {
    std::string altered = token();
    altered[at] = altered[at] == 'A' ? 'B' : 'A';
    EXPECT_EQ(Refusal(altered), ReasonCode::kSignatureInvalid) << at;
  }
  EXPECT_EQ(Refusal(token().substr(0, token().size() - 1)), ReasonCode::kSignatureInvalid);
  EXPECT_EQ(Refusal(std::string(20'000, 'A')), ReasonCode::kSignatureInvalid);
  EXPECT_EQ(Refusal("x"), ReasonCode::kSignatureInvalid);
}

TEST_F(Tokens, OfAnotherIssuerAreWorthNothing) {
  const auto other = crypto::EcPrivateKey::Generate(crypto::Curve::kP256);
  EXPECT_EQ(Refusal(Signed(other, Payload())), ReasonCode::kSignatureInvalid);
  for (const char* claim : {"iss", "aud"}) {
    Json payload = Payload();
    payload.Set(claim, "another");
    EXPECT_EQ(Refusal(Signed(identity_->signing, payload)), ReasonCode::kSignatureInvalid) << claim;
  }
}

TEST_F(Tokens, WithoutASignatureOrWithAnotherKindAreWorthNothing) {
  const std::string payload =
      token().substr(token().find('.') + 1, token().rfind('.') - token().find('.') - 1);
  const auto with_header = [&](const std::string& header, const std::string& signature) {
    return codec::EncodeBase64Url(AsBytes(header)) + "." + payload + "." + signature;
  };
  const std::string signature = token().substr(token().rfind('.') + 1);
  EXPECT_EQ(Refusal(with_header(R"({"alg":"none","typ":"JWT"})", "")), ReasonCode::kSignatureInvalid);
  EXPECT_EQ(Refusal(with_header(R"({"alg":"HS256","typ":"JWT"})", signature)), ReasonCode::kSignatureInvalid);
  const auto other = crypto::EcPrivateKey::Generate(crypto::Curve::kP256);
  EXPECT_EQ(Refusal(with_header(R"({"alg":"ES256","jwk":)" + codec::ToText(other.public_key().ToJwk()) + "}",
                                signature)),
            ReasonCode::kSignatureInvalid);
}

TEST_F(Tokens, EndAfterFiveMinutes) {
  clock_.Advance(5min);
  EXPECT_TRUE(broker_->Resource(token(), "", kResource));
  clock_.Advance(1s);
  EXPECT_EQ(Refusal(token()), ReasonCode::kChallengeExpired);
  Json endless = Payload();
  endless.Erase("exp");
  EXPECT_EQ(Refusal(Signed(identity_->signing, endless)), ReasonCode::kChallengeExpired);
}

TEST_F(Tokens, OfAnEarlierAttestationAreWorthNothing) {
  const LabGuest later(guest_.release_id);
  ASSERT_TRUE(Attest(later).allowed());
  EXPECT_EQ(Refusal(token()), ReasonCode::kForbidden);
}

TEST_F(Tokens, DontOpenAnothersResourceNorTellWhetherThereIsOne) {
  ASSERT_TRUE(broker_->PutKey("test", kNamespace, "another",
                              owner_.KeySpec(identity_->wrapping.public_key(), 1, "another")));
  for (const char* resource :
       {"team-a/model-key/another", "team-a/model-key/none", "team-b/model-key/llama-70b"}) {
    const auto sealed = broker_->Resource(token(), "", resource);
    ASSERT_FALSE(sealed) << resource;
    EXPECT_EQ(sealed.error().code, ReasonCode::kForbidden);
  }
}

TEST_F(Tokens, OpenNothingWhenTheLeaseIsOver) {
  ASSERT_TRUE(PutPolicy({.revision = 2, .lease_seconds = 60}));
  clock_.Advance(1min);
  EXPECT_TRUE(broker_->Resource(token(), "", kResource));
  clock_.Advance(1ms);
  EXPECT_EQ(Refusal(token()), ReasonCode::kReleaseExpired) << "with no sweep in between";
}

TEST_F(Tokens, GoBeforeCookies) {
  EXPECT_EQ(broker_->Resource("x", answer_.reply->session_cookie, kResource).error().code,
            ReasonCode::kSignatureInvalid);
  EXPECT_TRUE(broker_->Resource(token(), "x", kResource));
  EXPECT_EQ(broker_->Resource("", "", kResource).error().code, ReasonCode::kUnauthorized);
}

using Sessions = Tokens;

TEST_F(Sessions, OpenTheResource) {
  const auto sealed = broker_->Resource("", answer_.reply->session_cookie, kResource);
  ASSERT_TRUE(sealed);
  EXPECT_EQ(guest_.Open(*sealed), owner_.key());
}

TEST_F(Sessions, EndAfterFiveMinutesAndWhenAltered) {
  clock_.Advance(5min);
  EXPECT_TRUE(broker_->Resource("", answer_.reply->session_cookie, kResource));
  clock_.Advance(1ms);
  EXPECT_EQ(broker_->Resource("", answer_.reply->session_cookie, kResource).error().code,
            ReasonCode::kChallengeExpired);
  std::string altered = answer_.reply->session_cookie;
  altered[10] = altered[10] == 'A' ? 'B' : 'A';
  EXPECT_EQ(broker_->Resource("", altered, kResource).error().code, ReasonCode::kChallengeUnknown);
}

TEST_F(Sessions, SurviveARestart) {
  Restart();
  EXPECT_TRUE(broker_->Resource("", answer_.reply->session_cookie, kResource));
  EXPECT_TRUE(broker_->Resource(token(), "", kResource));
}

}  // namespace
}  // namespace portcullis::test

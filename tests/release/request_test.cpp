// What is refused before anything is decided.

#include "tests/release/broker_fixture.h"

namespace portcullis::test {
namespace {

using codec::Json;

ReasonCode AuthRefusal(std::string_view body) {
  const auto request = release::ParseAuthRequest(body);
  return request ? ReasonCode::kInternalError : request.error().code;
}

TEST(ParseAuthRequest, TakesWhatClientsSend) {
  for (
      const char* body :
      {R"({"version":"0.4.0","tee":"snp","extra-params":""})",
       R"({"version":"0.4.0","tee":"snp","extra-params":{}})",
       R"({"version":"0.4.0","tee":"snp","extra-params":{"supported-hash-algorithms":["sha384"]},"more":1})"}) {
    const auto request = release::ParseAuthRequest(body);
    ASSERT_TRUE(request) << body;
    EXPECT_EQ(request->tee, "snp");
    EXPECT_EQ(request->release_id, "");
  }
  const auto named = release::ParseAuthRequest(
      R"({"version":"0.4.0","tee":"snp","extra-params":{"portcullis-release":"00000000000000000000000000000001"}})");
  ASSERT_TRUE(named);
  EXPECT_EQ(named->release_id, IdOf(1));
}

TEST(ParseAuthRequest, RefusesOtherVersionsWithThePhraseThatClientsKnow) {
  for (const char* version : {"0.2.0", "0.1.1", "9.9.9", "abc", "", "0.4.0 ", "0.4"}) {
    const auto request = release::ParseAuthRequest(
        codec::ToText(Json::Object({{"version", version}, {"tee", "snp"}, {"extra-params", ""}})));
    ASSERT_FALSE(request) << version;
    EXPECT_EQ(request.error().code, ReasonCode::kProtocolVersionUnsupported);
    EXPECT_EQ(request.error().text.view(), "KBS Client Protocol Version Mismatch: expect =0.4.0");
  }
}

TEST(ParseAuthRequest, RefusesTeesThatAreNotVerifiedHere) {
  for (const char* tee : {"sample", "sampledevice", "sgx", "az-snp", "", "SNP", "snp "})
    EXPECT_EQ(
        AuthRefusal(codec::ToText(Json::Object({{"version", "0.4.0"}, {"tee", tee}, {"extra-params", ""}}))),
        ReasonCode::kTeeMismatch)
        << tee;
}

TEST(ParseAuthRequest, RefusesWhatIsNotWellFormed) {
  for (
      const std::string& body :
      {std::string(), std::string("{"), std::string("[]"), std::string("null"),
       std::string(R"({"version":"0.4.0","tee":"snp"})"),
       std::string(R"({"version":"0.4.0","extra-params":""})"),
       std::string(R"({"tee":"snp","extra-params":""})"),
       std::string(R"({"version":"0.4.0","version":"0.4.0","tee":"snp","extra-params":""})"),
       std::string(R"({"version":"0.4.0","tee":"snp","extra-params":{"portcullis-release":"short"}})"),
       std::string(R"({"version":"0.4.0","tee":"snp","extra-params":{"portcullis-release":7}})"),
       std::string(
           R"({"version":"0.4.0","tee":"snp","extra-params":{"portcullis-release":"0000000000000000000000000000000A"}})"),
       std::string("{\"version\":\"0.4.0\",\"tee\":\"snp\",\"extra-params\":\"\xff\"}"),
       std::string(1000, '[') + std::string(1000, ']'), std::string(20'000, ' ')})
    EXPECT_EQ(AuthRefusal(body), ReasonCode::kRequestMalformed) << body.substr(0, 100);
}

struct Spoilt {
  const char* name;
  ReasonCode code;
  void (*spoil)(Json&);
};

Json& Key(Json& body) { return body.Member("runtime-data").Member("tee-pubkey"); }
Json& Primary(Json& body) { return body.Member("tee-evidence").Member("primary_evidence"); }

Json JwkOf(crypto::Curve curve) {
  Json jwk = crypto::EcPrivateKey::Generate(curve).public_key().ToJwk();
  jwk.Set("alg", "ECDH-ES+A256KW");
  return jwk;
}

const Spoilt kSpoilt[] = {
    {"KeyWithAnotherMember", ReasonCode::kTeeKeyNotAccepted, [](Json& b) { Key(b).Set("kid", "x"); }},
    {"KeyWithItsPrivatePart", ReasonCode::kTeeKeyNotAccepted, [](Json& b) { Key(b).Set("d", "AAAA"); }},
    {"KeyOnP384", ReasonCode::kTeeKeyNotAccepted,
     [](Json& b) { b.Member("runtime-data").Set("tee-pubkey", JwkOf(crypto::Curve::kP384)); }},
    {"KeyOfRsa", ReasonCode::kTeeKeyNotAccepted,
     [](Json& b) {
       b.Member("runtime-data")
           .Set("tee-pubkey",
                Json::Object({{"kty", "RSA"}, {"alg", "RSA-OAEP-256"}, {"n", "AQAB"}, {"e", "AQAB"}}));
     }},
    {"KeyForRsa1_5", ReasonCode::kTeeKeyNotAccepted, [](Json& b) { Key(b).Set("alg", "RSA1_5"); }},
    {"KeyForNone", ReasonCode::kTeeKeyNotAccepted, [](Json& b) { Key(b).Set("alg", "none"); }},
    {"KeyWithoutAlg", ReasonCode::kTeeKeyNotAccepted, [](Json& b) { Key(b).Erase("alg"); }},
    {"KeyWithAShortCoordinate", ReasonCode::kTeeKeyNotAccepted,
     [](Json& b) { Key(b).Set("x", codec::EncodeBase64Url(ByteBuffer(31, std::byte{1}))); }},
    {"KeyOffTheCurve", ReasonCode::kTeeKeyNotAccepted,
     [](Json& b) { Key(b).Set("x", codec::EncodeBase64Url(ByteBuffer(32, std::byte{1}))); }},
    {"KeyThatIsNoObject", ReasonCode::kTeeKeyNotAccepted,
     [](Json& b) { b.Member("runtime-data").Set("tee-pubkey", "key"); }},
    {"AdditionalEvidence", ReasonCode::kEvidenceMalformed,
     [](Json& b) { b.Member("tee-evidence").Set("additional_evidence", "{}"); }},
    {"InitDataAsJson", ReasonCode::kRequestMalformed,
     [](Json& b) { b.Member("init-data").Set("format", "json"); }},
    {"InitDataWithoutBody", ReasonCode::kRequestMalformed,
     [](Json& b) { b.Member("init-data").Erase("body"); }},
    {"NoNonce", ReasonCode::kRequestMalformed, [](Json& b) { b.Member("runtime-data").Erase("nonce"); }},
    {"NonceThatIsNoBase64", ReasonCode::kRequestMalformed,
     [](Json& b) { b.Member("runtime-data").Set("nonce", "!"); }},
    {"NoEvidence", ReasonCode::kRequestMalformed, [](Json& b) { b.Erase("tee-evidence"); }},
    {"ReportThatIsNoBase64", ReasonCode::kEvidenceMalformed,
     [](Json& b) { Primary(b).Set("attestation_report", "!"); }},
    {"ReportThatIsNoText", ReasonCode::kEvidenceMalformed,
     [](Json& b) { Primary(b).Set("attestation_report", 7); }},
    {"EvidenceWithAnUnknownMember", ReasonCode::kEvidenceMalformed,
     [](Json& b) { Primary(b).Set("skip", true); }},
    {"CertificateTableThatIsNone", ReasonCode::kEvidenceMalformed,
     [](Json& b) { Primary(b).Set("auxblob", codec::EncodeBase64(ByteBuffer(30, std::byte{7}))); }},
    {"NineCertificates", ReasonCode::kEvidenceMalformed,
     [](Json& b) { Primary(b).Set("certificates", codec::JsonArray(9, Json("AAAA"))); }},
};

class AttestationRequest : public BrokerTest, public ::testing::WithParamInterface<Spoilt> {};

TEST_P(AttestationRequest, IsRefusedBeforeAnythingIsDecided) {
  const LabGuest guest = Admit(1);
  const auto challenge = Challenge(guest);
  Json body = guest.Attestation(challenge.nonce_text);
  GetParam().spoil(body);
  const auto rows = AuditRows().size();
  const Answer answer = Attest(challenge, body);
  ASSERT_FALSE(answer.reply);
  EXPECT_EQ(answer.reply.error().code, GetParam().code) << answer.reply.error().ToString();
  EXPECT_EQ(AuditRows().size(), rows);
  EXPECT_EQ(ReleaseOf(guest).phase, release::Phase::kRegistered);
}

INSTANTIATE_TEST_SUITE_P(Cases, AttestationRequest, ::testing::ValuesIn(kSpoilt),
                         [](const auto& param) { return std::string(param.param.name); });

using Certificates = BrokerTest;

TEST_F(Certificates, AreAtMostEightFromBothPlaces) {
  const LabGuest guest = Admit(1);
  const auto with = [&](std::size_t listed) {
    return AttestSpoiled(guest, [&](Json& body) {
      const auto table =
          snp::ParseCertificateTable(codec::DecodeBase64(Primary(body).TextAt({"auxblob"})).value()).value();
      ASSERT_EQ(table.size(), 1u);  // the chain above the leaf is ours, not the guest's
      const std::string one = codec::EncodeBase64(table.front().der());
      Primary(body).Set("certificates", codec::JsonArray(listed, Json(one)));
    });
  };
  // Nine would be kept, and then not be read back when a policy changes.
  EXPECT_TRUE(with(7).reply);
  const Answer nine = with(8);
  ASSERT_FALSE(nine.reply);
  EXPECT_EQ(nine.reply.error().code, ReasonCode::kEvidenceMalformed);
}

TEST(ParseAttestationRequest, RefusesABodyOfMoreValuesThanEvidenceHas) {
  std::string body = "[0";
  for (int i = 0; i < 70'000; ++i) body += ",0";
  const auto request = release::ParseAttestationRequest(body + "]", "snp");
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().text.view(), codec::kTooManyJsonValues.view());
}

}  // namespace
}  // namespace portcullis::test

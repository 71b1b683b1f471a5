// RCAR as clients of Confidential Containers see it: statuses, bodies, cookies (kbs-protocol.md 1.3 to 1.6,
// 8).

#include "kbs/routes/routes.h"
#include "tests/release/broker_fixture.h"

namespace portcullis::test {
namespace {

using codec::Json;
using http::Request;
using http::Response;
using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kResourcePath = "/kbs/v0/resource/team-a/model-key/llama-70b";

class GuestRoutes : public BrokerTest {
 protected:
  Response Send(std::string method, std::string path, std::string body = "", const std::string& cookie = "",
                const std::string& authorization = "") {
    Request request;
    request.method = std::move(method);
    request.path = std::move(path);
    request.body = std::move(body);
    request.id = "the-request";
    if (!cookie.empty()) request.headers.Set("Cookie", cookie);
    if (!authorization.empty()) request.headers.Set("Authorization", authorization);
    return kbs::GuestRoutes(*broker_).Dispatch(request);
  }
  static Json BodyOf(const Response& response) { return codec::ParseJson(response.body).value_or(Json()); }
  static std::string CookieOf(const Response& response) {
    const std::string* header = response.headers.Find("Set-Cookie");
    return header == nullptr ? "" : header->substr(0, header->find(';'));
  }
  Response Auth(const LabGuest& guest) { return Send("POST", "/kbs/v0/auth", guest.AuthBody()); }
  Response AttestWith(const LabGuest& guest, const std::function<void(Json&)>& spoil = {}) {
    const Response auth = Auth(guest);
    Json body = guest.Attestation(std::string(BodyOf(auth).TextAt({"nonce"})));
    if (spoil) spoil(body);
    return Send("POST", "/kbs/v0/attest", codec::ToText(body), CookieOf(auth));
  }
  /// The error that every client can read: type and detail are text.
  static void ExpectError(const Response& response, int status, std::string_view variant, ReasonCode code) {
    EXPECT_EQ(response.status, status) << response.body;
    EXPECT_EQ(*response.headers.Find("Content-Type"), "application/json");
    const Json body = BodyOf(response);
    EXPECT_EQ(body.TextAt({"type"}),
              "https://github.com/confidential-containers/kbs/errors/" + std::string(variant));
    EXPECT_FALSE(body.TextAt({"detail"}).empty());
    EXPECT_EQ(body.TextAt({"code"}), NameOf(code));
    EXPECT_EQ(body.TextAt({"requestId"}), "the-request");
    ASSERT_NE(body.Find("reasons"), nullptr);
    EXPECT_TRUE(body.Find("reasons")->is_array());
    EXPECT_TRUE(body.Find("retryable")->is_bool());
    EXPECT_EQ(response.headers.Find("Set-Cookie"), nullptr);
  }
};

TEST_F(GuestRoutes, ChallengeHasBothMembersAndAStrictCookie) {
  const Response response = Auth(Admit(1));
  ASSERT_EQ(response.status, 200);
  const Json body = BodyOf(response);
  EXPECT_EQ(body.TextAt({"nonce"}).size(), 44u);
  ASSERT_NE(body.Find("extra-params"), nullptr);
  EXPECT_EQ(*body.Find("extra-params"), Json(""));
  const std::string cookie = *response.headers.Find("Set-Cookie");
  EXPECT_THAT(cookie, StartsWith("kbs-session-id="));
  for (const char* attribute :
       {"; Max-Age=60", "; Path=/kbs/v0", "; HttpOnly", "; Secure", "; SameSite=Strict"})
    EXPECT_THAT(cookie, HasSubstr(attribute));
  EXPECT_LT(cookie.size(), 640u);
}

TEST_F(GuestRoutes, Case3MissingMembersAre401) {
  for (const char* body : {R"({"tee":"snp","extra-params":""})", R"({"version":"0.4.0","extra-params":""})",
                           R"({"version":"0.4.0","tee":"snp"})", "{}", "", "[]"})
    ExpectError(Send("POST", "/kbs/v0/auth", body), 401, "AttestationError", ReasonCode::kRequestMalformed);
}

TEST_F(GuestRoutes, Case4And5OtherVersionsAre401WithThePhrase) {
  for (const char* version : {"0.2.0", "0.1.1", "9.9.9", "abc"}) {
    const Response response =
        Send("POST", "/kbs/v0/auth",
             codec::ToText(Json::Object({{"version", version}, {"tee", "snp"}, {"extra-params", ""}})));
    ExpectError(response, 401, "AttestationError", ReasonCode::kProtocolVersionUnsupported);
    EXPECT_THAT(std::string(BodyOf(response).TextAt({"detail"})),
                HasSubstr("KBS Client Protocol Version Mismatch: expect =0.4.0 while the request is " +
                          std::string(version)));
  }
}

TEST_F(GuestRoutes, Case7And8UnknownAndSampleTeesAre401) {
  for (const char* tee : {"sample", "sampledevice", "unheard-of"})
    ExpectError(Send("POST", "/kbs/v0/auth",
                     codec::ToText(Json::Object({{"version", "0.4.0"}, {"tee", tee}, {"extra-params", ""}}))),
                401, "AttestationError", ReasonCode::kTeeMismatch);
}

TEST_F(GuestRoutes, Case9OtherMethodsAre405WithABodyForClients) {
  ExpectError(Send("GET", "/kbs/v0/auth"), 405, "PluginNotFound", ReasonCode::kRequestMalformed);
  ExpectError(Send("POST", kResourcePath), 405, "PluginNotFound", ReasonCode::kRequestMalformed);
  ExpectError(Send("DELETE", kResourcePath), 405, "PluginNotFound", ReasonCode::kRequestMalformed);
}

TEST_F(GuestRoutes, Case13HostileJsonIs401) {
  for (const std::string& body :
       {std::string(R"({"version":"0.4.0","version":"0.4.0","tee":"snp","extra-params":""})"),
        std::string("{\"version\":\"0.4.0\",\"tee\":\"snp\",\"extra-params\":\"\xff\"}"),
        std::string(1000, '[') + std::string(1000, ']')}) {
    ExpectError(Send("POST", "/kbs/v0/auth", body), 401, "AttestationError", ReasonCode::kRequestMalformed);
    const std::string cookie = CookieOf(Auth(LabGuest(IdOf(1))));
    ExpectError(Send("POST", "/kbs/v0/attest", body, cookie), 401, "AttestationError",
                ReasonCode::kRequestMalformed);
  }
}

TEST_F(GuestRoutes, AttestationAnswersTokenReleaseAndANewCookie) {
  const LabGuest guest = Admit(1);
  const Response response = AttestWith(guest);
  ASSERT_EQ(response.status, 200) << response.body;
  const Json body = BodyOf(response);
  EXPECT_EQ(std::count(body.TextAt({"token"}).begin(), body.TextAt({"token"}).end(), '.'), 2);
  for (const char* member : {"id", "resource", "version", "leaseExpires", "jwe"})
    EXPECT_NE(body.At({"release", member}), nullptr) << member;
  EXPECT_THAT(*response.headers.Find("Set-Cookie"), HasSubstr("; Max-Age=300"));
  journal_.push_back(codec::ToText(*body.At({"release", "jwe"})));
}

TEST_F(GuestRoutes, Case18And19ForeignNoncesAndCookiesAre401) {
  const LabGuest guest = Admit(1);
  const Response one = Auth(guest), two = Auth(guest);
  const std::string body = codec::ToText(guest.Attestation(std::string(BodyOf(two).TextAt({"nonce"}))));
  for (const std::string& cookie :
       {CookieOf(one), std::string(), std::string("kbs-session-id="), std::string("kbs-session-id=unknown"),
        std::string("another=") + CookieOf(two).substr(15), CookieOf(two) + "A"})
    ExpectError(Send("POST", "/kbs/v0/attest", body, cookie), 401, "AttestationError",
                ReasonCode::kChallengeUnknown);
  clock_.Advance(61s);
  ExpectError(Send("POST", "/kbs/v0/attest", body, CookieOf(two)), 401, "AttestationError",
              ReasonCode::kChallengeExpired);
}

TEST_F(GuestRoutes, TheCookieIsFoundAmongOthers) {
  const LabGuest guest = Admit(1);
  const Response auth = Auth(guest);
  const std::string body = codec::ToText(guest.Attestation(std::string(BodyOf(auth).TextAt({"nonce"}))));
  const Response response = Send("POST", "/kbs/v0/attest", body,
                                 "a=b; xkbs-session-id=no; " + CookieOf(auth) + "; kbs-session-id-2=no");
  EXPECT_EQ(response.status, 200) << response.body;
}

TEST_F(GuestRoutes, Case21ReportDataWithATailIs403) {
  // A denial: the evidence was appraised. Evidence can't be patched, so a TEE's own wrong tail stands in.
  const LabGuest guest = Admit(1);
  const Response auth = Auth(guest);
  const std::string nonce(BodyOf(auth).TextAt({"nonce"}));
  auto data = release::ExpectedReportData(nonce, guest.TeeKey(), "").array();
  data[63] = std::byte{1};
  lab::LaunchState state = guest.machine.launch;
  state.host_data = snp::HostData(crypto::Sha256(AsBytes(guest.init_data.text)).array());
  const auto minted = lab::LabPki::Shared().Mint(state, snp::ReportData(data));
  Json body = guest.Attestation(nonce);
  body.Member("tee-evidence")
      .Set("primary_evidence", Json::Object({{"attestation_report", codec::EncodeBase64(minted.report)},
                                             {"auxblob", codec::EncodeBase64(minted.aux_blob)}}));
  ExpectError(Send("POST", "/kbs/v0/attest", codec::ToText(body), CookieOf(auth)), 403, "PolicyDeny",
              ReasonCode::kReportDataMismatch);
}

TEST_F(GuestRoutes, Case23And24KeysThatAreNotAcceptedAre401) {
  const LabGuest guest = Admit(1);
  ExpectError(
      AttestWith(guest, [](Json& b) { b.Member("runtime-data").Member("tee-pubkey").Set("kid", "x"); }), 401,
      "AttestationError", ReasonCode::kTeeKeyNotAccepted);
  ExpectError(
      AttestWith(guest, [](Json& b) { b.Member("runtime-data").Member("tee-pubkey").Set("alg", "RSA1_5"); }),
      401, "AttestationError", ReasonCode::kTeeKeyNotAccepted);
}

TEST_F(GuestRoutes, Case26NoInitDataIsADenialForEveryReleaseIsBoundToIt) {
  const LabGuest guest = Admit(1);
  EXPECT_EQ(AttestWith(guest, [](Json& b) { b.Erase("init-data"); }).status, 403);
  EXPECT_EQ(AttestWith(guest, [](Json& b) { b.Set("init-data", nullptr); }).status, 403);
}

TEST_F(GuestRoutes, Case28To30InitDataThatDiffersIsRefused) {
  const LabGuest guest = Admit(1);
  ExpectError(AttestWith(guest, [](Json& b) { b.Member("init-data").Set("format", "json"); }), 401,
              "AttestationError", ReasonCode::kRequestMalformed);
  const Response changed = AttestWith(guest, [](Json& b) {
    b.Member("init-data").Set("body", std::string(b.TextAt({"init-data", "body"})) + "#");
  });
  ExpectError(changed, 403, "PolicyDeny", ReasonCode::kInitDataMismatch);
  for (const char* algorithm : {"sha-256", "sha512"}) {
    LabGuest other(IdOf(std::string_view(algorithm) == "sha512" ? 2 : 3));
    other.init_data.text.replace(other.init_data.text.find("sha256"), 6, algorithm);
    Register(other);
    EXPECT_EQ(AttestWith(other).status, 403) << algorithm;
  }
}

TEST_F(GuestRoutes, Case31And32AChallengeIsAnsweredOnce) {
  const LabGuest guest = Admit(1);
  const Response auth = Auth(guest);
  const std::string body = codec::ToText(guest.Attestation(std::string(BodyOf(auth).TextAt({"nonce"}))));
  ASSERT_EQ(Send("POST", "/kbs/v0/attest", body, CookieOf(auth)).status, 200);
  ExpectError(Send("POST", "/kbs/v0/attest", body, CookieOf(auth)), 401, "AttestationError",
              ReasonCode::kChallengeReused);
}

TEST_F(GuestRoutes, ADenialThatTimeCanHealIs401AndOneThatItCantIs403) {
  LabGuest guest(IdOf(1));
  const Response unknown = AttestWith(guest);
  ExpectError(unknown, 401, "AttestationError", ReasonCode::kReleaseUnknown);
  EXPECT_EQ(*BodyOf(unknown).Find("retryable"), Json(true));
  Register(guest);
  guest.machine.launch.policy |= 1u << 19;
  const Response debug = AttestWith(guest);
  ExpectError(debug, 403, "PolicyDeny", ReasonCode::kDebugEnabled);
  EXPECT_EQ(*BodyOf(debug).Find("retryable"), Json(false));
  EXPECT_EQ(debug.body.find("0x"), std::string::npos) << "codes only: what was expected goes to the operator";
}

TEST_F(GuestRoutes, Case36And37CookieAndBearerOpenTheResource) {
  const LabGuest guest = Admit(1);
  const Response attested = AttestWith(guest);
  ASSERT_EQ(attested.status, 200);
  const std::string token(BodyOf(attested).TextAt({"token"}));
  const Response by_cookie = Send("GET", kResourcePath, "", CookieOf(attested));
  const Response by_token = Send("GET", kResourcePath, "", "", "Bearer " + token);
  ASSERT_EQ(by_cookie.status, 200);
  EXPECT_EQ(by_cookie.body, by_token.body);
  const Json jwe = BodyOf(by_token);
  EXPECT_EQ(guest.Open(jwe), owner_.key());
  EXPECT_EQ(jwe.if_object()->size(), 5u);

  // The client parses the header and writes it again to have the AAD (kbs-protocol.md 1.6).
  const auto sealed = crypto::Jwe::FromJson(jwe).value();
  const std::string header = ToText(codec::DecodeBase64Url(sealed.protected_text).value());
  EXPECT_EQ(codec::ToText(codec::ParseJson(header).value()), header);
  EXPECT_THAT(header,
              StartsWith(R"({"alg":"ECDH-ES+A256KW","enc":"A256GCM","epk":{"crv":"P-256","kty":"EC","x":")"));
  EXPECT_EQ(codec::DecodeBase64Url(sealed.encrypted_key).value().size(), 40u);
  EXPECT_EQ(codec::DecodeBase64Url(sealed.iv).value().size(), 12u);
  EXPECT_EQ(codec::DecodeBase64Url(sealed.tag).value().size(), 16u);
}

TEST_F(GuestRoutes, Case38ATokenGoesBeforeACookie) {
  const LabGuest one = Admit(1), two = Admit(2);
  const Response first = AttestWith(one), second = AttestWith(two);
  const Response both = Send("GET", kResourcePath, "", CookieOf(first),
                             "Bearer " + std::string(BodyOf(second).TextAt({"token"})));
  ASSERT_EQ(both.status, 200);
  EXPECT_EQ(two.Open(BodyOf(both)), owner_.key());
  EXPECT_EQ(one.Open(BodyOf(both)), "");
}

TEST_F(GuestRoutes, Case39To41WithoutAValidTokenItIs401) {
  const LabGuest guest = Admit(1);
  const Response attested = AttestWith(guest);
  const std::string token(BodyOf(attested).TextAt({"token"}));
  ExpectError(Send("GET", kResourcePath), 401, "TokenNotFound", ReasonCode::kUnauthorized);
  ExpectError(Send("GET", kResourcePath, "", "", "Basic " + token), 401, "TokenNotFound",
              ReasonCode::kUnauthorized);
  ExpectError(Send("GET", kResourcePath, "", "", "Bearer " + token + "A"), 401, "TokenVerifierError",
              ReasonCode::kSignatureInvalid);
  // Case 49: ours are far below that, so it is refused, as an error that clients can read.
  ExpectError(Send("GET", kResourcePath, "", "", "Bearer " + std::string(50 * 1024, 'A')), 401,
              "TokenVerifierError", ReasonCode::kSignatureInvalid);
  clock_.Advance(5min + 1s);
  EXPECT_EQ(Send("GET", kResourcePath, "", "", "Bearer " + token).status, 401);
  EXPECT_EQ(Send("GET", kResourcePath, "", CookieOf(attested)).status, 401);
}

TEST_F(GuestRoutes, Case42And43ADenialDoesNotTellWhatThereIs) {
  const LabGuest guest = Admit(1);
  const Response attested = AttestWith(guest);
  ASSERT_TRUE(broker_->PutKey("test", kNamespace, "another",
                              owner_.KeySpec(identity_->wrapping.public_key(), 1, "another")));
  const Response exists = Send("GET", "/kbs/v0/resource/team-a/model-key/another", "", CookieOf(attested));
  const Response does_not = Send("GET", "/kbs/v0/resource/team-a/model-key/none", "", CookieOf(attested));
  ExpectError(exists, 403, "PolicyDeny", ReasonCode::kForbidden);
  EXPECT_EQ(exists.body, does_not.body);
  ASSERT_TRUE(broker_->Revoke("test", guest.release_id, "Requested"));
  ExpectError(Send("GET", kResourcePath, "", CookieOf(attested)), 403, "PolicyDeny", ReasonCode::kRevoked);
}

TEST_F(GuestRoutes, Case44PathsThatAreNoResourceAre404) {
  for (const char* path : {"/kbs/v0/resource/a/b", "/kbs/v0/resource/a/b/c/d", "/kbs/v0/resource/a/../c",
                           "/kbs/v0/resource/a/.b/c", "/kbs/v0/resource/a//c", "/kbs/v0/resource/", "/kbs/v0",
                           "/", "/kbs/v1/auth", "/kbs/v0/auth/"})
    ExpectError(Send("GET", path), 404, "PluginNotFound", ReasonCode::kNotFound);
  ExpectError(Send("GET", "/kbs/v0/resource/a/b/" + std::string(300, 'c')), 404, "PluginNotFound",
              ReasonCode::kNotFound);
}

TEST_F(GuestRoutes, Case48ARestartBetweenAnyTwoStepsIsNotSeen) {
  const LabGuest guest = Admit(1);
  const Response auth = Auth(guest);
  Restart();
  const std::string body = codec::ToText(guest.Attestation(std::string(BodyOf(auth).TextAt({"nonce"}))));
  const Response attested = Send("POST", "/kbs/v0/attest", body, CookieOf(auth));
  ASSERT_EQ(attested.status, 200);
  Restart();
  EXPECT_EQ(Send("GET", kResourcePath, "", CookieOf(attested)).status, 200);
  EXPECT_EQ(
      Send("GET", kResourcePath, "", "", "Bearer " + std::string(BodyOf(attested).TextAt({"token"}))).status,
      200);
}

TEST_F(GuestRoutes, HealthIsAnswered) { EXPECT_EQ(Send("GET", "/healthz").status, 200); }

}  // namespace
}  // namespace portcullis::test

// The broker API: who may do what, and what problems look like.

#include <thread>

#include "kbs/routes/routes.h"
#include "tests/release/broker_fixture.h"

namespace portcullis::test {
namespace {

using codec::Json;
using http::Request;
using http::Response;

class BrokerRoutes : public BrokerTest {
 protected:
  BrokerRoutes() {
    options_.clients = {{"portcullis-operator", {kbs::Role::kOperator}},
                        {"portcullis-auditor", {kbs::Role::kAuditor}},
                        {"nobody", {}}};
    options_.guest_url = "https://kbs:8443";
  }
  Response Send(const std::string& client, std::string method, std::string path, std::string body = "",
                std::map<std::string, std::string> query = {}) {
    Request request;
    request.method = std::move(method);
    request.path = std::move(path);
    request.query = std::move(query);
    request.body = std::move(body);
    request.id = "the-request";
    if (!client.empty()) request.client = http::ClientIdentity{client, {}, {}};
    return kbs::BrokerRoutes(*broker_, *log_, options_).Dispatch(request);
  }
  static void ExpectProblem(const Response& response, int status, ReasonCode code) {
    EXPECT_EQ(response.status, status) << response.body;
    EXPECT_EQ(*response.headers.Find("Content-Type"), "application/problem+json");
    const Json body = codec::ParseJson(response.body).value_or(Json());
    EXPECT_EQ(body.TextAt({"code"}), NameOf(code)) << response.body;
    EXPECT_EQ(*body.Find("status"), Json(status));
    EXPECT_EQ(body.TextAt({"requestId"}), "the-request");
    for (const char* member : {"type", "title", "detail", "remedy"})
      EXPECT_FALSE(body.TextAt({member}).empty()) << member;
    EXPECT_NE(body.Find("retryable"), nullptr);
  }

  kbs::Options options_;
  const LabGuest guest_ = Admit(1);
  const std::string release_ = "/v1/releases/" + guest_.release_id;
};

struct Route {
  const char* method;
  const char* path;
  bool auditor;
};
constexpr Route kRoutes[] = {
    {"PUT", "/v1/keys/team-a/llama-70b", false},
    {"GET", "/v1/keys", true},
    {"GET", "/v1/keys/team-a/llama-70b", true},
    {"DELETE", "/v1/keys/team-a/none", false},
    {"PUT", "/v1/policies/team-a/llama", false},
    {"GET", "/v1/policies", true},
    {"GET", "/v1/policies/team-a/llama", true},
    {"DELETE", "/v1/policies/team-a/none", false},
    {"PUT", "/v1/releases/none", false},
    {"GET", "/v1/releases/none", true},
    {"GET", "/v1/releases", true},
    {"DELETE", "/v1/releases/none", false},
    {"GET", "/v1/decisions", true},
    {"GET", "/v1/identity", true},
    {"POST", "/v1/appraisals", true},
    {"GET", "/v1/audit", true},
    {"GET", "/v1/audit/checkpoint", true},
};

TEST_F(BrokerRoutes, GiveEachRoleWhatItMayAndNoMore) {
  for (const Route& route : kRoutes) {
    SCOPED_TRACE(std::string(route.method) + " " + route.path);
    EXPECT_NE(Send("portcullis-operator", route.method, route.path).status, 403);
    const Response auditor = Send("portcullis-auditor", route.method, route.path);
    if (route.auditor)
      EXPECT_NE(auditor.status, 403);
    else
      ExpectProblem(auditor, 403, ReasonCode::kForbidden);
    for (const char* stranger : {"nobody", "unknown", "portcullis-operator ", "Portcullis-Operator"})
      ExpectProblem(Send(stranger, route.method, route.path), 403, ReasonCode::kForbidden);
    ExpectProblem(Send("", route.method, route.path), 401, ReasonCode::kUnauthorized);
  }
  EXPECT_EQ(ReleaseOf(guest_).phase, release::Phase::kRegistered);
}

TEST_F(BrokerRoutes, ArePutAsTheOperatorMirrorsThem) {
  const Json spec = owner_.KeySpec(identity_->wrapping.public_key());
  const Response key = Send("portcullis-operator", "PUT", "/v1/keys/team-a/llama-70b", codec::ToText(spec));
  EXPECT_EQ(key.status, 200);
  EXPECT_EQ(key.body, R"({"currentVersion":1})");
  const Response policy = Send("portcullis-operator", "PUT", "/v1/policies/team-a/llama",
                               codec::ToText(owner_.Signed(PolicyDocument({.revision = 2}))));
  EXPECT_EQ(policy.status, 200) << policy.body;
  const LabGuest pod(IdOf(2));
  const std::string path = "/v1/releases/" + pod.release_id;
  const std::string body = codec::ToText(RegistrationFor(pod.release_id, pod.init_data));
  EXPECT_EQ(Send("portcullis-operator", "PUT", path, body).status, 201);
  EXPECT_EQ(Send("portcullis-operator", "PUT", path, body).status, 200);
  Json other = RegistrationFor(pod.release_id, pod.init_data);
  other.Set("pod", "other");
  ExpectProblem(Send("portcullis-operator", "PUT", path, codec::ToText(other)), 409, ReasonCode::kConflict);
  ASSERT_TRUE(Attest(pod).allowed());
  const Response shown = Send("portcullis-auditor", "GET", path);
  EXPECT_EQ(codec::ParseJson(shown.body).value().TextAt({"phase"}), "Released");
}

TEST_F(BrokerRoutes, RefuseWhatGoesBack) {
  ASSERT_TRUE(PutPolicy({.revision = 5}));
  ExpectProblem(Send("portcullis-operator", "PUT", "/v1/policies/team-a/llama",
                     codec::ToText(owner_.Signed(PolicyDocument({.revision = 4})))),
                409, ReasonCode::kPolicyRevisionRollback);
}

TEST_F(BrokerRoutes, RevokeForAKnownCauseOnly) {
  ExpectProblem(Send("portcullis-operator", "DELETE", release_, "", {{"cause", "Whim"}}), 400,
                ReasonCode::kRequestMalformed);
  const Response revoked = Send("portcullis-operator", "DELETE", release_, "", {{"cause", "PodDeleted"}});
  EXPECT_EQ(revoked.status, 200);
  EXPECT_EQ(codec::ParseJson(revoked.body).value().TextAt({"revocationCause"}), "PodDeleted");
  EXPECT_EQ(Send("portcullis-operator", "DELETE", release_).status, 200);
  ExpectProblem(Send("portcullis-operator", "DELETE", "/v1/releases/" + IdOf(9)), 404, ReasonCode::kNotFound);
}

TEST_F(BrokerRoutes, ListReleasesWholeOrAsSummaries) {
  Admit(2);
  Admit(3);
  const auto page = [&](std::map<std::string, std::string> query) {
    query.emplace("limit", "2");
    return codec::ParseJson(Send("portcullis-operator", "GET", "/v1/releases", "", query).body).value();
  };
  const Json whole = page({});
  ASSERT_EQ(whole.Find("releases")->if_array()->size(), 2u);
  EXPECT_NE(whole.Find("releases")->if_array()->front().Find("initDataDigest"), nullptr);
  const Json first = page({{"view", "summary"}});
  ASSERT_EQ(first.Find("releases")->if_array()->size(), 2u);
  EXPECT_EQ(codec::ToText(first.Find("releases")->if_array()->front()),
            R"({"id":")" + IdOf(1) + R"(","cluster":"lab","namespace":"team-a","pod":"pod-)" + IdOf(1) +
                R"(","policy":"llama","key":"llama-70b","phase":"Registered"})");
  EXPECT_EQ(first.TextAt({"next"}), IdOf(2));
  const Json last = page({{"view", "summary"}, {"after", IdOf(2)}});
  ASSERT_EQ(last.Find("releases")->if_array()->size(), 1u);
  EXPECT_EQ(last.Find("releases")->if_array()->front().TextAt({"id"}), IdOf(3));
  EXPECT_EQ(last.TextAt({"next"}), "");
  ExpectProblem(Send("portcullis-operator", "GET", "/v1/releases", "", {{"view", "half"}}), 400,
                ReasonCode::kRequestMalformed);
}

TEST_F(BrokerRoutes, MirrorForTheClusterThatTheQueryNames) {
  const auto put = [&](const char* cluster) {
    const std::string key = codec::ToText(owner_.KeySpec(identity_->wrapping.public_key()));
    EXPECT_EQ(
        Send("portcullis-operator", "PUT", "/v1/keys/team-a/llama-70b", key, {{"cluster", cluster}}).status,
        200);
    EXPECT_EQ(Send("portcullis-operator", "PUT", "/v1/policies/team-a/llama",
                   codec::ToText(owner_.Signed(PolicyDocument())), {{"cluster", cluster}})
                  .status,
              200);
  };
  const auto remove = [&](const char* path, std::map<std::string, std::string> query) {
    EXPECT_EQ(Send("portcullis-operator", "DELETE", path, "", std::move(query)).status, 204);
    return Send("portcullis-auditor", "GET", path).status;
  };
  const auto listed = [&](const char* path, std::map<std::string, std::string> query) {
    return Send("portcullis-auditor", "GET", path, "", std::move(query)).body;
  };
  put("east");
  const std::string one_key = R"({"keys":[{"namespace":"team-a","name":"llama-70b"}],"next":""})";
  const std::string one_policy = R"({"policies":[{"namespace":"team-a","name":"llama"}],"next":""})";
  EXPECT_EQ(listed("/v1/keys", {{"cluster", "east"}}), one_key);
  EXPECT_EQ(listed("/v1/policies", {{"cluster", "east"}}), one_policy);
  EXPECT_EQ(listed("/v1/policies", {{"cluster", ""}}), one_policy) << "of who named no cluster";
  EXPECT_EQ(listed("/v1/policies", {}), one_policy);
  EXPECT_EQ(listed("/v1/policies", {{"limit", "1"}}),
            R"({"policies":[{"namespace":"team-a","name":"llama"}],"next":"team-a/llama"})");
  EXPECT_EQ(listed("/v1/policies", {{"after", "team-a/llama"}}), R"({"policies":[],"next":""})");
  EXPECT_EQ(listed("/v1/keys", {{"cluster", "west"}}), R"({"keys":[],"next":""})");
  for (const char* path : {"/v1/policies/team-a/llama", "/v1/keys/team-a/llama-70b"}) {
    EXPECT_EQ(remove(path, {}), 200) << path;
    EXPECT_EQ(remove(path, {{"cluster", "west"}}), 200) << path;
    EXPECT_EQ(remove(path, {{"cluster", "east"}}), 404) << path;
  }
}

TEST_F(BrokerRoutes, RefuseClustersAndPlacesThatAreNone) {
  const std::map<std::string, std::string> too_long = {{"cluster", std::string(254, 'c')}};
  const std::string policy = codec::ToText(owner_.Signed(PolicyDocument()));
  for (const char* method : {"PUT", "DELETE"})
    ExpectProblem(Send("portcullis-operator", method, "/v1/policies/team-a/llama", policy, too_long), 400,
                  ReasonCode::kRequestMalformed);
  for (const char* path : {"/v1/keys", "/v1/policies", "/v1/releases"})
    ExpectProblem(Send("portcullis-operator", "GET", path, "", too_long), 400, ReasonCode::kRequestMalformed);
  for (const char* after : {"team-a", "team-a/llama/more"})
    ExpectProblem(Send("portcullis-operator", "GET", "/v1/keys", "", {{"after", after}}), 400,
                  ReasonCode::kRequestMalformed);
  ExpectProblem(Send("portcullis-operator", "GET", "/v1/releases", "", {{"revoked", "true"}}), 400,
                ReasonCode::kRequestMalformed);
  ExpectProblem(Send("portcullis-operator", "DELETE", release_, "", {{"podUid", std::string(65, 'u')}}), 400,
                ReasonCode::kRequestMalformed);
  EXPECT_EQ(ReleaseOf(guest_).phase, release::Phase::kRegistered);
}

TEST_F(BrokerRoutes, RevokeOnlyWhatTheCallerTakesItFor) {
  const std::map<std::string, std::string> right = {
      {"cluster", "lab"}, {"namespace", kNamespace}, {"podUid", "uid-" + guest_.release_id}};
  for (const auto& [name, value] : right) {
    auto wrong = right;
    wrong[name] = "another";
    ExpectProblem(Send("portcullis-operator", "DELETE", release_, "", wrong), 409, ReasonCode::kConflict);
  }
  EXPECT_EQ(ReleaseOf(guest_).phase, release::Phase::kRegistered);
  EXPECT_EQ(Send("portcullis-operator", "DELETE", release_, "", right).status, 200);
  EXPECT_EQ(ReleaseOf(guest_).phase, release::Phase::kRevoked);
}

TEST_F(BrokerRoutes, ListTheReleasesOfAClusterThatWereNotRevoked) {
  Admit(2);
  ASSERT_TRUE(broker_->Revoke("test", guest_.release_id, "Requested"));
  const auto listed = [&](std::map<std::string, std::string> query) {
    query.emplace("view", "summary");
    const Json page =
        codec::ParseJson(Send("portcullis-auditor", "GET", "/v1/releases", "", query).body).value();
    return page.Find("releases")->if_array()->size();
  };
  EXPECT_EQ(listed({}), 2u);
  EXPECT_EQ(listed({{"revoked", "false"}}), 1u);
  EXPECT_EQ(listed({{"cluster", "lab"}}), 2u);
  EXPECT_EQ(listed({{"cluster", "other"}}), 0u);
}

TEST_F(BrokerRoutes, ShowNoSealedKeyAfterTheLease) {
  ASSERT_TRUE(Attest(guest_).allowed());
  const auto shown = [&](const std::string& path) {
    const Json body = codec::ParseJson(Send("portcullis-operator", "GET", path).body).value();
    const codec::JsonArray* page = body.Find("releases")->if_array();  // of one release, their number
    return page == nullptr ? body : page->front();
  };
  for (const std::string& path : {release_, std::string("/v1/releases")})
    EXPECT_NE(shown(path).Find("jwe"), nullptr) << path;
  clock_.Advance(std::chrono::hours(1));
  EXPECT_NE(shown(release_).Find("jwe"), nullptr) << "to its very end";
  clock_.Advance(std::chrono::milliseconds(1));
  for (const std::string& path : {release_, std::string("/v1/releases")}) {
    EXPECT_EQ(shown(path).Find("jwe"), nullptr) << path;
    EXPECT_EQ(shown(path).TextAt({"phase"}), "Released") << "until the next sweep";
  }
}

TEST_F(BrokerRoutes, RefuseNumbersOutOfRange) {
  for (const char* path : {"/v1/releases", "/v1/decisions", "/v1/audit", "/v1/keys", "/v1/policies"})
    for (const char* limit : {"0", "-1", "1x", "", "100000000000000000000", "1000000"})
      ExpectProblem(Send("portcullis-auditor", "GET", path, "", {{"limit", limit}}), 400,
                    ReasonCode::kRequestMalformed);
  ExpectProblem(Send("portcullis-auditor", "GET", "/v1/decisions", "", {{"wait", "31"}}), 400,
                ReasonCode::kRequestMalformed);
  ExpectProblem(Send("portcullis-auditor", "GET", "/v1/decisions", "", {{"after", "-1"}}), 400,
                ReasonCode::kRequestMalformed);
  EXPECT_EQ(Send("portcullis-auditor", "GET", "/v1/releases", "", {{"limit", "1"}}).status, 200);
}

TEST_F(BrokerRoutes, RefuseBodiesThatAreNoJson) {
  for (const char* path : {"/v1/keys/team-a/k", "/v1/policies/team-a/p", "/v1/releases/r"})
    ExpectProblem(Send("portcullis-operator", "PUT", path, "{"), 400, ReasonCode::kRequestMalformed);
  ExpectProblem(Send("portcullis-auditor", "POST", "/v1/appraisals", "{"), 400,
                ReasonCode::kRequestMalformed);
}

TEST_F(BrokerRoutes, ShowTheAuditLogAsItVerifies) {
  ASSERT_TRUE(Attest(guest_).allowed());
  ASSERT_TRUE(broker_->Sweep());
  const Response rows = Send("portcullis-auditor", "GET", "/v1/audit");
  EXPECT_EQ(*rows.headers.Find("Content-Type"), "application/jsonl");
  std::vector<std::string> lines;
  std::istringstream text(rows.body);
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  const Response note = Send("portcullis-auditor", "GET", "/v1/audit/checkpoint");
  ASSERT_EQ(note.status, 200);
  const auto report = audit::VerifyRows(lines, log_->public_key(), {note.body});
  EXPECT_TRUE(report.intact) << report.problem;
  EXPECT_EQ(report.signed_rows, static_cast<std::int64_t>(lines.size()));
  const Response rest = Send("portcullis-auditor", "GET", "/v1/audit", "", {{"after", "1"}, {"limit", "1"}});
  EXPECT_EQ(rest.body, lines.at(1) + "\n");
}

TEST_F(BrokerRoutes, TellWhoTheBrokerIs) {
  const Json identity = codec::ParseJson(Send("portcullis-auditor", "GET", "/v1/identity").body).value();
  EXPECT_EQ(*identity.Find("wrappingKey"), identity_->wrapping.public_key().ToJwk());
  EXPECT_EQ(*identity.Find("signingKey"), identity_->signing.public_key().ToJwk());
  EXPECT_EQ(identity.TextAt({"auditKey"}), codec::EncodeBase64(log_->public_key().bytes()));
  EXPECT_EQ(identity.TextAt({"guestUrl"}), "https://kbs:8443");
  EXPECT_EQ(identity.if_object()->size(), 6u) << "no private part of anything";
}

TEST_F(BrokerRoutes, AppraiseWithoutConsequence) {
  const auto rows = AuditRows().size();
  const auto data = release::ExpectedReportData("nonce", guest_.TeeKey(), "");
  const Json primary = *guest_.Attestation("nonce").At({"tee-evidence", "primary_evidence"});
  Json body = Json::Object({{"policy", PolicyDocument()},
                            {"tee", "snp"},
                            {"evidence", primary},
                            {"initData", guest_.init_data.text},
                            {"reportData", codec::EncodeHex(data.bytes())},
                            {"namespace", kNamespace},
                            {"serviceAccount", kServiceAccount},
                            {"key", kKeyName}});
  const Response allow = Send("portcullis-auditor", "POST", "/v1/appraisals", codec::ToText(body));
  ASSERT_EQ(allow.status, 200) << allow.body;
  EXPECT_EQ(codec::ParseJson(allow.body).value().TextAt({"verdict"}), "allow");
  body.Set("serviceAccount", "another");
  const Json deny =
      codec::ParseJson(Send("portcullis-auditor", "POST", "/v1/appraisals", codec::ToText(body)).body)
          .value();
  EXPECT_EQ(deny.TextAt({"verdict"}), "deny");
  EXPECT_EQ(deny.Find("reasons")->if_array()->front(), Json("SubjectNotAllowed"));
  EXPECT_EQ(AuditRows().size(), rows);
  EXPECT_EQ(ReleaseOf(guest_).phase, release::Phase::kRegistered);
}

TEST_F(BrokerRoutes, OpsTellsHealthWithoutNames) {
  ASSERT_TRUE(Attest(guest_).allowed());
  const auto get = [&](const char* path) {
    Request request;
    request.method = "GET";
    request.path = path;
    return kbs::OpsRoutes(metrics_, *store_).Dispatch(request);
  };
  EXPECT_EQ(get("/livez").status, 200);
  EXPECT_EQ(get("/readyz").status, 200);
  const Response metrics = get("/metrics");
  EXPECT_NE(metrics.body.find("portcullis_decisions_total"), std::string::npos);
  for (const char* name : {kNamespace, kKeyName, kPolicyName, kServiceAccount})
    EXPECT_EQ(metrics.body.find(name), std::string::npos) << name;
  EXPECT_EQ(metrics.body.find(guest_.release_id), std::string::npos);
}

TEST_F(BrokerRoutes, LetPollsWaitOnlyWhereOthersAreStillServed) {
  const http::Router routes = kbs::BrokerRoutes(*broker_, *log_, options_);
  const auto poll = [&](const std::string& client, const std::string& wait) {
    Request request;
    request.method = "GET";
    request.path = "/v1/decisions";
    request.query = {{"after", "0"}, {"wait", wait}};
    request.id = "the-request";
    request.client = http::ClientIdentity{client, {}, {}};
    return routes.Dispatch(request);
  };
  const auto fill = [&](const std::string& client, std::vector<std::thread>& waiting, int count) {
    for (int i = 0; i < count; ++i)
      waiting.emplace_back([&, client] {
        while (poll(client, "30").status != 200) std::this_thread::sleep_for(std::chrono::milliseconds(10));
      });
  };
  // Whoever finds no place is told at once; until all the others wait, he is one of them for a second.
  const auto refused_soon = [&](const std::string& client) {
    for (int i = 0; i < 20; ++i, std::this_thread::sleep_for(std::chrono::milliseconds(50)))
      if (const Response answer = poll(client, "1"); answer.status != 200) {
        ExpectProblem(answer, 503, ReasonCode::kOverloaded);
        return true;
      }
    return false;
  };
  std::vector<std::thread> waiting;
  fill("portcullis-auditor", waiting, 8);
  EXPECT_TRUE(refused_soon("portcullis-auditor"));
  EXPECT_EQ(poll("portcullis-auditor", "0").status, 200) << "who does not wait holds nothing";
  fill("portcullis-operator", waiting, 16);
  EXPECT_TRUE(refused_soon("portcullis-operator"));
  broker_->Interrupt();
  for (std::thread& thread : waiting) thread.join();
}

}  // namespace
}  // namespace portcullis::test

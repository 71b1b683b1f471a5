#include <gtest/gtest.h>

#include "http/message.h"
#include "http/server.h"

namespace portcullis::http {
namespace {

Router Sample() {
  Router router;
  router.Add("GET", "/", [](const Request&) { return Response::Text(200, "root"); });
  router.Add("GET", "/v1/keys/{ns}/{name}", [](const Request& request) {
    return Response::Text(200, request.captures.at("ns") + "|" + request.captures.at("name"));
  });
  router.Add("PUT", "/v1/keys/{ns}/{name}", [](const Request&) { return Response::Empty(204); });
  router.Add("GET", "/v1/audit", [](const Request&) { return Response::Text(200, "audit"); });
  return router;
}

Response Ask(const Router& router, const std::string& method, const std::string& path) {
  Request request;
  request.method = method;
  request.path = path;
  request.id = "id-1";
  return router.Dispatch(request);
}

TEST(Router, MatchesExactlyAndCaptures) {
  const Router router = Sample();
  EXPECT_EQ(Ask(router, "GET", "/").body, "root");
  EXPECT_EQ(Ask(router, "GET", "/v1/audit").body, "audit");
  EXPECT_EQ(Ask(router, "GET", "/v1/keys/team-a/llama_3.1").body, "team-a|llama_3.1");
  EXPECT_EQ(Ask(router, "PUT", "/v1/keys/a/b").status, 204);
}

TEST(Router, AnswersUnknownPathsWith404) {
  const Router router = Sample();
  for (const char* path :
       {"/v1", "/v1/audit/", "/v1/AUDIT", "/v1/keys/a", "/v1/keys/a/b/c", "/v1/keys/a/", "/v1/keys//b"})
    EXPECT_EQ(Ask(router, "GET", path).status, 404) << path;
}

TEST(Router, AnswersOtherMethodsWith405AndTheOnesAllowed) {
  const Response response = Ask(Sample(), "DELETE", "/v1/keys/a/b");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(*response.headers.Find("allow"), "GET, PUT");
  EXPECT_EQ(Ask(Sample(), "get", "/v1/audit").status, 405);
}

TEST(Router, CapturesNamesOnly) {
  const Router router = Sample();
  EXPECT_EQ(Ask(router, "GET", "/v1/keys/a/" + std::string(253, 'n')).status, 200);
  EXPECT_EQ(Ask(router, "GET", "/v1/keys/a/" + std::string(254, 'n')).status, 404);
  for (const char* name : {".hidden", "a:b", "a@b", "a~b", "a,b"})
    EXPECT_EQ(Ask(router, "GET", std::string("/v1/keys/a/") + name).status, 404) << name;
}

TEST(Router, WritesErrorsAsTold) {
  Router router = Sample();
  EXPECT_EQ(*Ask(router, "GET", "/no").headers.Find("Content-Type"), "application/problem+json");
  router.set_error_writer([](int status, const Error& error, std::string_view id) {
    return Response::Text(status, std::string(id) + ":" + std::string(error.text.view()));
  });
  EXPECT_EQ(Ask(router, "GET", "/no").body, "id-1:there is no such path");
}

TEST(Problem, SaysWhatToDo) {
  const Response response =
      Response::Problem(403, Error{ReasonCode::kDebugEnabled, "debug is on", "policy.debug"}, "id-7");
  const auto body = codec::ParseJson(response.body);
  ASSERT_TRUE(body);
  EXPECT_EQ(body->TextAt({"type"}), "docs/reference/reasons.md#debugenabled");
  EXPECT_EQ(body->TextAt({"code"}), "DebugEnabled");
  EXPECT_EQ(body->TextAt({"detail"}), "debug is on (policy.debug)");
  EXPECT_EQ(body->TextAt({"requestId"}), "id-7");
  EXPECT_EQ(body->Find("status")->if_int64(), 403);
  EXPECT_FALSE(*body->Find("retryable")->if_bool());
  EXPECT_FALSE(body->TextAt({"remedy"}).empty());
  EXPECT_FALSE(body->TextAt({"title"}).empty());
}

TEST(StatusFor, IsAClientOrServerErrorForEveryReason) {
  for (std::size_t i = 0; i < kReasonCount; ++i) {
    const auto code = static_cast<ReasonCode>(i);
    const int status = StatusFor(code);
    EXPECT_TRUE(status >= 400 && status <= 503) << NameOf(code);
    // 5xx asks for another try; it must not be said of what no try can change.
    if (status >= 500) {
      EXPECT_TRUE(ReasonFor(code).retryable) << NameOf(code);
    }
  }
  EXPECT_EQ(StatusFor(ReasonCode::kDebugEnabled), 403);
  EXPECT_EQ(StatusFor(ReasonCode::kChallengeReused), 401);
  EXPECT_EQ(StatusFor(ReasonCode::kOverloaded), 503);
}

TEST(Headers, CompareNamesWithoutCase) {
  Headers headers;
  headers.Add("Set-Cookie", "a=1");
  headers.Add("Set-Cookie", "b=2");
  EXPECT_EQ(headers.all().size(), 2u);
  headers.Set("set-cookie", "c=3");
  EXPECT_EQ(headers.all().size(), 1u);
  EXPECT_EQ(*headers.Find("SET-COOKIE"), "c=3");
  EXPECT_EQ(headers.Find("cookie"), nullptr);
}

}  // namespace
}  // namespace portcullis::http

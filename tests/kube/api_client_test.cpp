#include "kube/api_client.h"

#include <gmock/gmock.h>

#include "kube/status.h"
#include "tests/kube/api_script.h"
#include "tests/kube/temporary_file.h"

namespace portcullis::kube {
namespace {

using namespace std::chrono_literals;
using test::ApiScript;
using test::StatusBody;
using test::WatchLine;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const ObjectKey kPod{"default", "web"};
constexpr std::string_view kPodBody = R"({"metadata":{"name":"web","resourceVersion":"7"}})";

class ApiClientTest : public testing::Test {
 protected:
  ApiClient& Api(Endpoint endpoint = {}) {
    if (endpoint.url.empty()) endpoint.url = "https://127.0.0.1:6443";
    if (api_ == nullptr) api_ = script_.Connect(std::move(endpoint), metrics_);
    return *api_;
  }
  Result<std::string> WatchPods(std::string version = "10") {
    static const std::atomic<bool> kRunning{false};
    return Api().Watch(
        kPods, "default", {{"timeoutSeconds", "250"}}, version,
        [this](std::string_view type, const codec::Json& object) {
          seen_.push_back(std::string(type) + " " + std::string(object.TextAt({"metadata", "name"})));
          return true;
        },
        kRunning);
  }

  ApiScript script_;
  metrics::Metrics metrics_{"controller"};
  std::unique_ptr<ApiClient> api_;
  std::vector<std::string> seen_;
};

TEST_F(ApiClientTest, GetsAnObjectByItsPath) {
  script_.Answer(200, std::string(kPodBody));
  const auto pod = Api().Get(kPods, kPod);
  ASSERT_TRUE(pod);
  EXPECT_EQ(pod->TextAt({"metadata", "name"}), "web");
  ASSERT_EQ(script_.asked.size(), 1u);
  EXPECT_EQ(script_.asked[0].method, "GET");
  EXPECT_EQ(script_.asked[0].target, "/api/v1/namespaces/default/pods/web");
  EXPECT_EQ(script_.asked[0].accept, "application/json");
  EXPECT_THAT(script_.asked[0].user_agent, HasSubstr("portcullis"));
}

TEST_F(ApiClientTest, RefusesNamesThatWouldNameSomethingElse) {
  for (const std::string name : {"", ".", "..", "../secrets/x", "a/b", "a?b", "a%2fb", "a b"}) {
    SCOPED_TRACE(name);
    EXPECT_EQ(Api().Get(kPods, {"default", name}).error().code, ReasonCode::kRequestMalformed);
    EXPECT_EQ(Api().Delete(kPods, {"default", name}, "").error().code, ReasonCode::kRequestMalformed);
    if (name.empty()) continue;  // no namespace: an object of the cluster
    EXPECT_EQ(Api().Get(kPods, {name, "web"}).error().code, ReasonCode::kRequestMalformed);
  }
  EXPECT_THAT(script_.asked, IsEmpty());
}

TEST_F(ApiClientTest, WritesAreStrictAndNameTheFieldManager) {
  for (int i = 0; i < 5; ++i) script_.Answer(200, std::string(kPodBody));
  const codec::Json object = codec::Json::Object({{"metadata", codec::Json::Object({{"name", "web"}})}});
  ASSERT_TRUE(Api().Create(kPods, "default", object));
  ASSERT_TRUE(Api().Replace(kPods, kPod, object));
  ASSERT_TRUE(Api().Patch(kPods, kPod, "status", PatchType::kMerge, object));
  ASSERT_TRUE(Api().Patch(kPods, kPod, "", PatchType::kJson, codec::JsonArray()));
  ASSERT_TRUE(Api().Patch(kPods, kPod, "", PatchType::kApply, object));
  for (const auto& asked : script_.asked)
    EXPECT_THAT(asked.target, HasSubstr("?fieldManager=portcullis&fieldValidation=Strict"));
  EXPECT_EQ(script_.asked[0].method, "POST");
  EXPECT_EQ(script_.asked[1].method, "PUT");
  EXPECT_THAT(script_.asked[2].target, HasSubstr("/pods/web/status?"));
  EXPECT_EQ(script_.asked[2].content_type, "application/merge-patch+json");
  EXPECT_EQ(script_.asked[3].content_type, "application/json-patch+json");
  EXPECT_EQ(script_.asked[4].content_type, "application/apply-patch+yaml");
  EXPECT_THAT(script_.asked[4].target, HasSubstr("&force=true"));
}

TEST_F(ApiClientTest, DeletesWithTheUidAsPrecondition) {
  script_.Answer(200);
  ASSERT_TRUE(Api().Delete(kSecrets, {"default", "s"}, "uid-1"));
  EXPECT_EQ(script_.asked[0].method, "DELETE");
  EXPECT_THAT(script_.asked[0].body, HasSubstr(R"("preconditions":{"uid":"uid-1"})"));
}

TEST_F(ApiClientTest, ListsAPageAndEncodesTheQuery) {
  script_.Answer(200, R"({"metadata":{"resourceVersion":"12","continue":"next"},"items":[{},{}]})");
  const auto page = Api().List(kPods, "", {{"limit", "2"}, {"labelSelector", "a=b,c"}});
  ASSERT_TRUE(page);
  EXPECT_EQ(page->items.size(), 2u);
  EXPECT_EQ(page->resource_version, "12");
  EXPECT_EQ(page->continue_token, "next");
  EXPECT_EQ(script_.asked[0].target, "/api/v1/pods?limit=2&labelSelector=a%3Db%2Cc");
}

TEST_F(ApiClientTest, TakesNullForAnEmptyListAndRefusesWhatIsNoList) {
  script_.Answer(200, R"({"metadata":{"resourceVersion":"12"},"items":null})");
  script_.Answer(200, R"({"metadata":{},"items":[]})");
  script_.Answer(200, R"({"metadata":{"resourceVersion":"12"}})");
  EXPECT_TRUE(Api().List(kPods, "", {})->items.empty());
  EXPECT_FALSE(Api().List(kPods, "", {}));
  EXPECT_FALSE(Api().List(kPods, "", {}));
}

struct ErrorCase {
  int status;
  std::string body;
  ReasonCode code;
  std::string where;
};

TEST_F(ApiClientTest, MapsWhatCallersBranchOn) {
  const ErrorCase cases[] = {
      {400, StatusBody(400, "BadRequest"), ReasonCode::kRequestMalformed, "\"what the API server says\""},
      {403, StatusBody(403, "Forbidden"), ReasonCode::kForbidden, "\"what the API server says\""},
      {404, StatusBody(404, "NotFound", "web"), ReasonCode::kNotFound, "\"what the API server says\""},
      {409, StatusBody(409, "AlreadyExists", "web"), ReasonCode::kConflict, "AlreadyExists"},
      {409, StatusBody(409, "Conflict", "web"), ReasonCode::kConflict, "Conflict"},
      {409, "", ReasonCode::kConflict, "Conflict"},
      {410, StatusBody(410, "Expired"), ReasonCode::kNotFound, "Expired"},
      {410, StatusBody(410, "Gone"), ReasonCode::kNotFound, "Gone"},
      {422, StatusBody(422, "Invalid"), ReasonCode::kRequestMalformed, "\"what the API server says\""},
      {500, StatusBody(500, "InternalError"), ReasonCode::kUnreachable, "\"what the API server says\""},
      {503, "not JSON", ReasonCode::kUnreachable, "\"\""},
      {302, "", ReasonCode::kUnreachable, "\"\""},
  };
  for (const ErrorCase& c : cases) {
    SCOPED_TRACE(c.body);
    script_.Answer(c.status, c.body);
    const auto answer = Api().Replace(kPods, kPod, codec::JsonObject());
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, c.code);
    EXPECT_EQ(answer.error().where, c.where);
  }
}

// Otherwise a CRD that is not installed yet would look as though every object had been deleted.
TEST_F(ApiClientTest, DoesNotTakeAnUnknownKindForADeletedObject) {
  script_.Answer(404, "404 page not found");
  script_.Answer(404, StatusBody(404, "NotFound"));
  EXPECT_EQ(Api().Get(kKeyReleases, kPod).error().code, ReasonCode::kUnreachable);
  EXPECT_EQ(Api().Get(kKeyReleases, kPod).error().code, ReasonCode::kUnreachable);
}

TEST_F(ApiClientTest, WaitsAsLongAsAnOverloadedServerAsks) {
  script_.AnswerRetryAfter(429, "2");
  script_.AnswerRetryAfter(503, "3");
  script_.Answer(429);
  script_.Answer(201, std::string(kPodBody));
  EXPECT_TRUE(Api().Create(kPods, "default", codec::JsonObject()));
  EXPECT_THAT(script_.waits, ElementsAre(2s, 3s, 1s));
}

TEST_F(ApiClientTest, GivesUpAfterFiveTriesAndNeverWaitsForLong) {
  for (int i = 0; i < 5; ++i) script_.AnswerRetryAfter(429, "3600");
  EXPECT_EQ(Api().Get(kPods, kPod).error().code, ReasonCode::kOverloaded);
  EXPECT_EQ(script_.asked.size(), 5u);
  EXPECT_THAT(script_.waits, ElementsAre(10s, 10s, 10s, 10s));
}

TEST_F(ApiClientTest, AsksBeforeEachTryOfAWriteWhetherItMay) {
  bool may_write = false;
  ApiClient& api =
      Api({.url = "https://127.0.0.1:6443", .conduct = {.may_write = [&] { return may_write; }}});
  const codec::Json object = codec::JsonObject();
  EXPECT_EQ(api.Create(kPods, "default", object).error().code, ReasonCode::kUnreachable);
  EXPECT_FALSE(api.Replace(kPods, kPod, object));
  EXPECT_FALSE(api.Patch(kPods, kPod, "status", PatchType::kMerge, object));
  EXPECT_FALSE(api.Delete(kPods, kPod, ""));
  EXPECT_THAT(script_.asked, IsEmpty());
  script_.Answer(200, std::string(kPodBody));
  EXPECT_TRUE(api.Get(kPods, kPod)) << "to read is always allowed";
}

TEST_F(ApiClientTest, RepeatsNoWriteThatItMayNotMakeAnyMore) {
  int asked = 0;
  ApiClient& api =
      Api({.url = "https://127.0.0.1:6443", .conduct = {.may_write = [&] { return ++asked == 1; }}});
  script_.AnswerRetryAfter(429, "2");
  EXPECT_FALSE(api.Create(kPods, "default", codec::JsonObject()));
  EXPECT_EQ(script_.asked.size(), 1u);
}

TEST_F(ApiClientTest, TriesOnceWhereItIsToldToBeQuickAndLooksAtTheTokenAllTheSame) {
  const test::TemporaryFile token("old\n");
  Endpoint endpoint{.url = "https://127.0.0.1:6443", .conduct = {.max_tries = 1}};
  endpoint.token = TokenSource::FromFile(token.path(), script_.clock).value();
  ApiClient& api = Api(std::move(endpoint));
  script_.AnswerRetryAfter(429, "1");
  script_.Cut();
  script_.Answer(401);
  token.Write("new\n");
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(api.Get(kPods, kPod));
  EXPECT_EQ(script_.asked.size(), 3u);
  EXPECT_THAT(script_.waits, IsEmpty());
  script_.Answer(200, std::string(kPodBody));
  EXPECT_TRUE(api.Get(kPods, kPod));
  EXPECT_EQ(script_.asked[3].authorization, "Bearer new");
}

TEST_F(ApiClientTest, DoesNotRepeatWhatTheServerDidNotAskToBeRepeated) {
  script_.Answer(500);
  script_.AnswerRetryAfter(409, "1");
  script_.AnswerRetryAfter(503, "soon");
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(Api().Get(kPods, kPod));
  EXPECT_EQ(script_.asked.size(), 3u);
  EXPECT_THAT(script_.waits, IsEmpty());
}

TEST_F(ApiClientTest, RepeatsACutGetOnceAndACutWriteNever) {
  script_.Cut();
  script_.Answer(200, std::string(kPodBody));
  EXPECT_TRUE(Api().Get(kPods, kPod));
  script_.Cut();
  script_.Cut();
  EXPECT_FALSE(Api().Get(kPods, kPod));
  EXPECT_EQ(script_.asked.size(), 4u);
  script_.Cut();
  EXPECT_EQ(Api().Create(kPods, "default", codec::JsonObject()).error().code, ReasonCode::kUnreachable);
  EXPECT_EQ(script_.asked.size(), 5u);
}

TEST_F(ApiClientTest, ReadsTheTokenAgainWhenItIsRefused) {
  const test::TemporaryFile token("old\n");
  Endpoint endpoint{.url = "https://127.0.0.1:6443"};
  endpoint.token = TokenSource::FromFile(token.path(), script_.clock).value();
  ApiClient& api = Api(std::move(endpoint));
  token.Write("new\n");
  script_.Answer(401, StatusBody(401, "Unauthorized"));
  script_.Answer(200, std::string(kPodBody));
  EXPECT_TRUE(api.Get(kPods, kPod));
  EXPECT_EQ(script_.asked[0].authorization, "Bearer old");
  EXPECT_EQ(script_.asked[1].authorization, "Bearer new");

  script_.Answer(401);
  script_.Answer(401);
  EXPECT_EQ(api.Get(kPods, kPod).error().code, ReasonCode::kUnauthorized);

  script_.Stream({.lines = {}, .status = 401});
  script_.Stream({.lines = {WatchLine("ADDED", "a", "11")}});
  EXPECT_TRUE(WatchPods());
}

TEST_F(ApiClientTest, TrustsANewCaAfterAFailedConnection) {
  const test::TemporaryFile ca("first");
  Endpoint endpoint{.url = "https://127.0.0.1:6443"};
  endpoint.ca_file = ca.path();
  ApiClient& api = Api(std::move(endpoint));
  ca.Write("second");
  script_.Cut();
  script_.Answer(200, std::string(kPodBody));
  EXPECT_TRUE(api.Get(kPods, kPod));
  EXPECT_EQ(script_.asked[0].ca_pem, "first");
  EXPECT_EQ(script_.asked[1].ca_pem, "second");
}

TEST_F(ApiClientTest, RefusesASuccessThatIsNotJson) {
  script_.Answer(200, R"({"metadata":)");
  EXPECT_EQ(Api().Get(kPods, kPod).error().code, ReasonCode::kUnreachable);
}

TEST_F(ApiClientTest, WatchesFromAVersionAndReturnsTheLastOne) {
  script_.Stream({.lines = {WatchLine("ADDED", "a", "11"), "", WatchLine("MODIFIED", "a", "12"),
                            WatchLine("DELETED", "a", "13"), WatchLine("BOOKMARK", "", "20")}});
  const auto last = WatchPods();
  ASSERT_TRUE(last);
  EXPECT_EQ(*last, "20");
  EXPECT_THAT(seen_, ElementsAre("ADDED a", "MODIFIED a", "DELETED a", "BOOKMARK "));
  EXPECT_EQ(script_.asked[0].target,
            "/api/v1/namespaces/default/pods?timeoutSeconds=250&watch=1&allowWatchBookmarks=true"
            "&resourceVersion=10");
}

TEST_F(ApiClientTest, AWatchThatIsTooOldIsExpiredFromTheStartAndInBetween) {
  script_.Stream({.lines = {}, .status = 410, .body = StatusBody(410, "Expired")});
  EXPECT_TRUE(IsExpired(WatchPods().error()));
  script_.Stream({.lines = {WatchLine("ADDED", "a", "11"),
                            R"({"type":"ERROR","object":)" + StatusBody(410, "Expired") + "}"}});
  EXPECT_TRUE(IsExpired(WatchPods().error()));
  EXPECT_THAT(seen_, ElementsAre("ADDED a"));
}

TEST_F(ApiClientTest, HalfALineIsACutStreamAndNothingIsMadeOfIt) {
  const std::string whole = WatchLine("ADDED", "a", "11");
  script_.Stream({.lines = {whole, whole.substr(0, whole.size() / 2)}});
  const auto cut = WatchPods();
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, ReasonCode::kUnreachable);
  EXPECT_THAT(seen_, ElementsAre("ADDED a"));
}

TEST_F(ApiClientTest, AWatchEndsWhenTheListenerHasEnough) {
  script_.Stream({.lines = {WatchLine("ADDED", "a", "11"), WatchLine("ADDED", "b", "12")}});
  static const std::atomic<bool> kRunning{false};
  int count = 0;
  const auto last = Api().Watch(
      kPods, "", {}, "10", [&](std::string_view, const codec::Json&) { return ++count < 1; }, kRunning);
  ASSERT_TRUE(last);
  EXPECT_EQ(*last, "11");
  EXPECT_EQ(count, 1);
}

}  // namespace
}  // namespace portcullis::kube

#include "kube/informer.h"

#include <gmock/gmock.h>

#include <thread>

#include "http/client.h"
#include "kube/objects.h"
#include "tests/kube/api_script.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_kube.h"

namespace portcullis::kube {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

codec::Json Pod(const std::string& name, const std::string& policy = "gold") {
  codec::Json pod = NewObject(kPods, {"default", name});
  pod.Member("metadata").Set("labels", codec::Json::Object({{std::string(kPolicyLabel), policy}}));
  return pod;
}

/// An informer on a thread of its own over an API server in memory. Waits take no time.
class InformerTest : public testing::Test {
 protected:
  ~InformerTest() override { Stop(); }

  void Start(std::string selector = "") {
    informer_ = std::make_unique<Informer>(
        kube_, kPods, Informer::Options{"", std::move(selector)},
        [this](const ObjectKey& key) {
          const std::lock_guard lock(mutex_);
          changes_.push_back(key.name);
        },
        clock_,
        [this](std::chrono::milliseconds duration, const std::atomic<bool>&) {
          const std::lock_guard lock(mutex_);
          waits_.push_back(duration);
        },
        [] { return 0.0; });
    thread_ = std::thread([this] { informer_->Run(stop_); });
  }
  void Stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  std::vector<std::string> changes() {
    const std::lock_guard lock(mutex_);
    return changes_;
  }
  bool Holds(const std::function<bool()>& condition) { return kube_.WaitUntil(condition); }
  bool HasSeen(std::size_t count) {
    return Holds([&] { return changes().size() >= count; });
  }
  bool IsWatching(std::size_t count = 1) {
    return Holds([&] { return kube_.CountCalls("watch", "pods") >= count; });
  }

  test::FakeKube kube_;
  test::FakeClock clock_;
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::vector<std::string> changes_;
  std::vector<std::chrono::milliseconds> waits_;
  std::unique_ptr<Informer> informer_;
  std::thread thread_;
};

TEST_F(InformerTest, ListsThenFollows) {
  kube_.Put(kPods, Pod("a"));
  Start();
  ASSERT_TRUE(HasSeen(1));
  EXPECT_TRUE(informer_->synced());
  kube_.Put(kPods, Pod("b"));
  ASSERT_TRUE(HasSeen(2));
  kube_.Put(kPods, Pod("b", "silver"));
  ASSERT_TRUE(HasSeen(3));
  EXPECT_EQ(LabelOf(*informer_->Find({"default", "b"}), kPolicyLabel), "silver");
  kube_.Remove(kPods, {"default", "a"});
  ASSERT_TRUE(HasSeen(4));
  EXPECT_THAT(changes(), ElementsAre("a", "b", "b", "a"));
  EXPECT_EQ(informer_->Find({"default", "a"}), nullptr);
  EXPECT_THAT(informer_->Keys(), ElementsAre(ObjectKey{"default", "b"}));
}

TEST_F(InformerTest, IsNotSyncedBeforeAListSucceeds) {
  kube_.FailNext("list", "pods", Error{ReasonCode::kUnreachable, "down"}, 3);
  Start();
  ASSERT_TRUE(Holds([&] { return informer_->synced(); }));
  Stop();
  EXPECT_THAT(waits_, ElementsAre(800ms, 1600ms, 3200ms));
}

TEST_F(InformerTest, ListsByPagesOfAHundred) {
  for (int i = 0; i < 201; ++i) kube_.Put(kPods, Pod("pod-" + std::to_string(i)));
  Start();
  ASSERT_TRUE(HasSeen(201));
  EXPECT_EQ(kube_.CountCalls("list", "pods"), 3u);
  EXPECT_EQ(informer_->Keys().size(), 201u);
}

TEST_F(InformerTest, SeesOnlyWhatTheSelectorPicks) {
  kube_.Put(kPods, Pod("a"));
  kube_.Put(kPods, NewObject(kPods, {"default", "plain"}));
  Start(std::string(kPolicyLabel));
  ASSERT_TRUE(HasSeen(1));
  codec::Json without = NewObject(kPods, {"default", "a"});
  ASSERT_TRUE(IsWatching());
  kube_.Put(kPods, without);  // the label goes: for us the pod does
  ASSERT_TRUE(HasSeen(2));
  EXPECT_TRUE(informer_->Keys().empty());
}

TEST_F(InformerTest, ResumesWithoutAListWhenAWatchEnds) {
  Start();
  ASSERT_TRUE(IsWatching());
  kube_.SendBookmarks();
  kube_.Put(kPods, Pod("a"));
  ASSERT_TRUE(HasSeen(1));
  kube_.EndWatches();
  ASSERT_TRUE(IsWatching(2));
  kube_.Put(kPods, Pod("b"));
  ASSERT_TRUE(HasSeen(2));
  EXPECT_EQ(kube_.CountCalls("list", "pods"), 1u);
}

TEST_F(InformerTest, ResumesWithoutAListWhenTheServerIsOverloadedOrCut) {
  Start();
  ASSERT_TRUE(IsWatching());
  kube_.FailNext("watch", "pods", Error{ReasonCode::kOverloaded, "busy"});
  kube_.FailNext("watch", "pods", Error{ReasonCode::kUnreachable, "cut"});
  kube_.Put(kPods, Pod("a"));
  ASSERT_TRUE(HasSeen(1));
  kube_.EndWatches();
  ASSERT_TRUE(IsWatching(4));
  kube_.Put(kPods, Pod("b"));
  ASSERT_TRUE(HasSeen(2));
  EXPECT_EQ(kube_.CountCalls("list", "pods"), 1u);
}

TEST_F(InformerTest, ListsAgainWhenItsVersionIsGoneAndTellsWhatVanished) {
  kube_.Put(kPods, Pod("stays"));
  kube_.Put(kPods, Pod("goes"));
  Start();
  ASSERT_TRUE(HasSeen(2));
  ASSERT_TRUE(IsWatching());
  // While the watch can't be had, one pod goes, one comes, and the history is forgotten.
  kube_.FailNext("watch", "pods", Error{ReasonCode::kUnreachable, "cut"}, 1'000'000);
  kube_.EndWatches();
  ASSERT_TRUE(IsWatching(2));
  kube_.Remove(kPods, {"default", "goes"});
  kube_.Put(kPods, Pod("comes"));
  kube_.Compact();
  kube_.StopFailing();
  ASSERT_TRUE(HasSeen(4));
  Stop();
  EXPECT_EQ(kube_.CountCalls("list", "pods"), 2u);
  const auto all = changes();
  EXPECT_THAT(std::vector(all.begin() + 2, all.end()), UnorderedElementsAre("goes", "comes"));
  EXPECT_THAT(informer_->Keys(),
              UnorderedElementsAre(ObjectKey{"default", "stays"}, ObjectKey{"default", "comes"}));
}

TEST_F(InformerTest, AListThatExpiresBetweenPagesStartsAgain) {
  for (int i = 0; i < 101; ++i) kube_.Put(kPods, Pod("pod-" + std::to_string(i)));
  kube_.FailNext("list", "pods", Error{ReasonCode::kNotFound, "too old", "Expired"});
  Start();
  ASSERT_TRUE(HasSeen(101));
  EXPECT_EQ(kube_.CountCalls("list", "pods"), 3u);
}

TEST_F(InformerTest, KeepsNoManagedFields) {
  codec::Json pod = Pod("a");
  pod.Member("metadata").Set("managedFields", codec::Json::Array({"large"}));
  kube_.Put(kPods, pod);
  Start();
  ASSERT_TRUE(HasSeen(1));
  EXPECT_EQ(informer_->Find({"default", "a"})->At({"metadata", "managedFields"}), nullptr);
}

/// The same informer over HTTP, from a recorded conversation.
class InformerTranscriptTest : public testing::Test {
 protected:
  void Run() {
    api_ = script_.Connect({.url = "https://127.0.0.1"}, metrics_);
    // The conversation is over when the script is; the next wait stops the informer.
    Informer informer(
        *api_, kPods, {"default", "portcullis.dev/policy"},
        [&](const ObjectKey& key) { changes_.push_back(key.name); }, script_.clock,
        [&](std::chrono::milliseconds duration, const std::atomic<bool>&) {
          waits_.push_back(duration);
          if (script_.streams.empty()) stop_ = true;
        },
        [] { return 0.5; });
    informer.Run(stop_);
  }
  static std::string ListBody(std::string version, std::vector<std::pair<std::string, std::string>> pods) {
    codec::JsonArray items;
    for (const auto& [name, pod_version] : pods) {
      codec::Json item = codec::JsonObject();
      item.Member("metadata")
          .Set("namespace", "default")
          .Set("name", name)
          .Set("resourceVersion", pod_version);
      items.push_back(std::move(item));
    }
    return codec::ToText(codec::Json::Object(
        {{"metadata", codec::Json::Object({{"resourceVersion", version}})}, {"items", items}}));
  }

  test::ApiScript script_;
  metrics::Metrics metrics_{"controller"};
  std::unique_ptr<ApiClient> api_;
  std::atomic<bool> stop_{false};
  std::vector<std::string> changes_;
  std::vector<std::chrono::milliseconds> waits_;
};

TEST_F(InformerTranscriptTest, AsksForBookmarksAndATimeLimitAndResumesFromTheBookmark) {
  script_.Answer(200, ListBody("10", {{"a", "5"}}));
  script_.Stream({.lines = {test::WatchLine("BOOKMARK", "", "90")}});
  script_.Stream({.lines = {}});  // nothing at all: back off
  Run();
  ASSERT_EQ(script_.asked.size(), 3u);
  EXPECT_THAT(script_.asked[0].target, HasSubstr("?limit=100&labelSelector=portcullis.dev%2Fpolicy"));
  EXPECT_THAT(script_.asked[1].target, HasSubstr("timeoutSeconds=270&"));
  EXPECT_THAT(script_.asked[1].target, HasSubstr("allowWatchBookmarks=true&resourceVersion=10"));
  EXPECT_THAT(script_.asked[2].target, HasSubstr("resourceVersion=90"));
  EXPECT_THAT(changes_, ElementsAre("a"));
  EXPECT_THAT(waits_, ElementsAre(1200ms));
}

TEST_F(InformerTranscriptTest, HalvesAPageThatIsTooLargeToRead) {
  std::string many = R"({"metadata":{"resourceVersion":"10"},"items":[{"args":[0)";
  for (std::size_t i = 0; i < codec::kMaxJsonValues; ++i) many += ",0";
  script_.Answer(200, many + "]}]}");
  script_.answers.emplace_back(
      Error{ReasonCode::kUnreachable, "the answer is too large", std::string(http::kAnswerTooLarge)});
  script_.Answer(200, ListBody("10", {{"a", "5"}}));
  script_.Stream({.lines = {}});
  Run();
  EXPECT_THAT(script_.asked[0].target, HasSubstr("?limit=100&"));
  EXPECT_THAT(script_.asked[1].target, HasSubstr("?limit=50&"));
  EXPECT_THAT(script_.asked[2].target, HasSubstr("?limit=25&"));
  EXPECT_THAT(changes_, ElementsAre("a"));
}

TEST_F(InformerTranscriptTest, HalfALineCostsAReconnectionAndNoEvent) {
  const std::string line = test::WatchLine("MODIFIED", "a", "12");
  script_.Answer(200, ListBody("10", {{"a", "5"}}));
  script_.Stream({.lines = {test::WatchLine("MODIFIED", "a", "11"), line.substr(0, 30)}});
  script_.Stream({.lines = {line}, .cut = Error{ReasonCode::kUnreachable, "cut"}});
  Run();
  EXPECT_THAT(script_.asked[2].target, HasSubstr("resourceVersion=11"));
  EXPECT_THAT(changes_, ElementsAre("a", "a", "a"));
}

TEST_F(InformerTranscriptTest, A410InTheStreamLeadsToAListAndDeletesWhatVanished) {
  script_.Answer(200, ListBody("10", {{"a", "5"}, {"b", "6"}}));
  script_.Stream({.lines = {test::WatchLine("MODIFIED", "a", "11"),
                            R"({"type":"ERROR","object":)" + test::StatusBody(410, "Expired") + "}"}});
  script_.Answer(200, ListBody("50", {{"a", "11"}}));
  script_.Stream({.lines = {}});
  Run();
  EXPECT_THAT(script_.asked[3].target, HasSubstr("resourceVersion=50"));
  EXPECT_THAT(changes_, ElementsAre("a", "b", "a", "b"));
}

TEST_F(InformerTranscriptTest, AnEventSeenTwiceIsToldOnce) {
  script_.Answer(200, ListBody("10", {}));
  script_.Stream({.lines = {test::WatchLine("ADDED", "a", "11"), test::WatchLine("ADDED", "a", "11"),
                            test::WatchLine("DELETED", "never-seen", "12")}});
  script_.Stream({.lines = {}});
  Run();
  EXPECT_THAT(changes_, ElementsAre("a"));
}

}  // namespace
}  // namespace portcullis::kube

#include "kube/events.h"

#include <gmock/gmock.h>

#include "tests/support/fake_clock.h"
#include "tests/support/fake_kube.h"

namespace portcullis::kube {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::MatchesRegex;

Event Denied(std::string uid = "u-1") {
  return {kPods,          {"default", "web"}, std::move(uid), EventType::kWarning,
          "DebugEnabled", "ReleaseKey",       "debug is on"};
}

class EventWriterTest : public testing::Test {
 protected:
  void Write(const Event& event, int times = 1) {
    for (int i = 0; i < times; ++i) writer_.Write(event, stop_);
  }
  std::vector<codec::Json> Events() { return kube_.All(kEvents); }
  std::size_t Dropped() {
    constexpr std::string_view kName = "\nportcullis_events_dropped_total ";
    const std::string text = metrics_.Exposition();
    const std::size_t at = text.find(kName);
    return at == std::string::npos ? 0 : std::stoul(text.substr(at + kName.size()));
  }

  test::FakeKube kube_;
  test::FakeClock clock_;
  metrics::Metrics metrics_{"controller"};
  std::atomic<bool> stop_{false};
  std::vector<std::chrono::milliseconds> waits_;
  EventWriter writer_{
      kube_,
      "portcullis.dev/controller",
      "controller-0",
      clock_,
      metrics_,
      [this](std::chrono::milliseconds wait, const std::atomic<bool>&) { waits_.push_back(wait); },
      [] { return 0.0; }};
};

TEST_F(EventWriterTest, WritesWhatTheApiAsksFor) {
  Write(Denied());
  ASSERT_EQ(Events().size(), 1u);
  const codec::Json event = Events()[0];
  EXPECT_EQ(event.TextAt({"apiVersion"}), "events.k8s.io/v1");
  EXPECT_THAT(std::string(event.TextAt({"metadata", "name"})), MatchesRegex("web\\.[0-9a-f]{16}"));
  EXPECT_EQ(event.TextAt({"metadata", "namespace"}), "default");
  EXPECT_EQ(event.TextAt({"eventTime"}), "2026-11-24T21:53:00.000000Z");
  EXPECT_EQ(event.TextAt({"reportingController"}), "portcullis.dev/controller");
  EXPECT_EQ(event.TextAt({"reportingInstance"}), "controller-0");
  EXPECT_EQ(event.TextAt({"regarding", "uid"}), "u-1");
  EXPECT_EQ(event.TextAt({"regarding", "kind"}), "Pod");
  EXPECT_EQ(event.TextAt({"type"}), "Warning");
  EXPECT_EQ(event.TextAt({"note"}), "debug is on");
  EXPECT_EQ(event.Find("series"), nullptr);
}

TEST_F(EventWriterTest, ObjectsOfTheClusterHaveTheirEventsInDefault) {
  Event event = Denied();
  event.object.namespace_name = "";
  Write(event);
  EXPECT_EQ(Events()[0].TextAt({"metadata", "namespace"}), "default");
  EXPECT_EQ(Events()[0].At({"regarding", "namespace"}), nullptr);
}

TEST_F(EventWriterTest, CutsTextsToTheLimitsOfTheApi) {
  Event event = Denied();
  event.object.name = std::string(253, 'n');
  event.reason = std::string(200, 'R');
  event.action = std::string(129, 'A');
  event.note = std::string(1025, 'x');
  Write(event);
  const codec::Json written = Events()[0];
  EXPECT_LE(written.TextAt({"metadata", "name"}).size(), 253u);
  EXPECT_EQ(written.TextAt({"reason"}).size(), 128u);
  EXPECT_EQ(written.TextAt({"action"}).size(), 128u);
  EXPECT_EQ(written.TextAt({"note"}).size(), 1024u);
}

TEST_F(EventWriterTest, RepeatsBecomeASeriesWrittenAtPowersOfTwo) {
  Write(Denied(), 20);
  ASSERT_EQ(Events().size(), 1u);
  EXPECT_EQ(Events()[0].At({"series", "count"})->if_int64(), 16);
  EXPECT_EQ(kube_.CountCalls("create", "events"), 1u);
  EXPECT_EQ(kube_.CountCalls("patch", "events"), 4u);  // 2, 4, 8, 16
  EXPECT_EQ(Dropped(), 0u);
}

TEST_F(EventWriterTest, AnotherReasonActionOrObjectIsAnotherEvent) {
  Write(Denied());
  Event event = Denied();
  event.reason = "TcbBelowFloor";
  clock_.Advance(1ms);
  Write(event);
  event.action = "RevokeKey";
  clock_.Advance(1ms);
  Write(event);
  clock_.Advance(1ms);
  Write(Denied("u-2"));
  EXPECT_EQ(Events().size(), 4u);
}

TEST_F(EventWriterTest, AnotherCodeInTheNoteIsAnotherEvent) {
  Event event = Denied();
  event.reason = "Denied";
  for (const char* code : {"DebugEnabled", "MeasurementNotAllowed"}) {
    event.note = std::string(code) + ": what to do about it";
    clock_.Advance(1ms);
    Write(event, 2);
  }
  ASSERT_EQ(Events().size(), 2u);
  EXPECT_EQ(Events()[0].TextAt({"note"}), "DebugEnabled: what to do about it");
  EXPECT_EQ(Events()[1].TextAt({"note"}), "MeasurementNotAllowed: what to do about it");
  for (const codec::Json& written : Events()) EXPECT_EQ(written.At({"series", "count"})->if_int64(), 2);
}

TEST_F(EventWriterTest, ARepeatAfterSixMinutesIsANewEvent) {
  Write(Denied());
  clock_.Advance(6min - 1ms);
  Write(Denied());
  EXPECT_EQ(Events().size(), 1u);
  clock_.Advance(6min);
  Write(Denied());
  EXPECT_EQ(Events().size(), 2u);
}

TEST_F(EventWriterTest, AnEventPastItsTimeIsCreatedAnew) {
  Write(Denied());
  kube_.Remove(kEvents, {"default", std::string(Events()[0].TextAt({"metadata", "name"}))});
  clock_.Advance(1s);
  Write(Denied());
  ASSERT_EQ(Events().size(), 1u);
  EXPECT_EQ(Events()[0].At({"series", "count"})->if_int64(), 2);
}

TEST_F(EventWriterTest, OneObjectMayWriteTwentyFiveAtOnceAndOneEachFiveMinutes) {
  Event event = Denied();
  const auto write_another = [&] {
    event.reason += "x";
    clock_.Advance(1ms);
    Write(event);
  };
  for (int i = 0; i < 30; ++i) write_another();
  EXPECT_EQ(Events().size(), 25u);
  EXPECT_EQ(Dropped(), 5u);
  clock_.Advance(5min);
  write_another();
  write_another();
  EXPECT_EQ(Events().size(), 26u);
}

TEST_F(EventWriterTest, AllObjectsTogetherMayWriteAHundredAtOnce) {
  for (int i = 0; i < 130; ++i) Write(Denied("u-" + std::to_string(i)));
  EXPECT_EQ(kube_.CountCalls("create", "events"), 100u);
  EXPECT_EQ(Dropped(), 30u);
}

TEST_F(EventWriterTest, TriesAgainWhenTheServerIsAwayAndThenDrops) {
  kube_.FailNext("create", "events", Error{ReasonCode::kUnreachable, "down"}, 2);
  Write(Denied());
  EXPECT_EQ(Events().size(), 1u);
  EXPECT_EQ(waits_.size(), 2u);
  kube_.FailNext("create", "events", Error{ReasonCode::kUnreachable, "down"}, 3);
  Write(Denied("u-2"));
  EXPECT_EQ(Dropped(), 1u);
}

TEST_F(EventWriterTest, DoesNotInsistWhereItIsForbidden) {
  kube_.FailNext("create", "events", Error{ReasonCode::kForbidden, "no"});
  Write(Denied());
  EXPECT_EQ(kube_.CountCalls("create", "events"), 1u);
  EXPECT_EQ(Dropped(), 1u);
  Write(Denied());  // the next occurrence tries to create again
  EXPECT_EQ(Events().size(), 1u);
}

TEST(EventRecorder, WritesOnItsOwnThread) {
  test::FakeKube kube;
  const test::FakeClock clock;
  metrics::Metrics metrics("controller");
  EventRecorder recorder(kube, "portcullis.dev/controller", "controller-0", clock, metrics);
  recorder.Emit(Denied());
  EXPECT_TRUE(kube.WaitUntil([&] { return kube.All(kEvents).size() == 1; }));
}

TEST(EventRecorder, DropsInsteadOfMakingTheCallerWait) {
  test::FakeKube kube;
  const test::FakeClock clock;
  metrics::Metrics metrics("controller");
  kube.FailNext("create", "events", Error{ReasonCode::kUnreachable, "down"}, 3);
  std::atomic<bool> held{true}, waiting{false};
  {
    EventRecorder recorder(kube, "portcullis.dev/controller", "controller-0", clock, metrics,
                           [&](std::chrono::milliseconds, const std::atomic<bool>&) {
                             waiting = true;
                             held.wait(true);
                           });
    recorder.Emit(Denied("first"));
    ASSERT_TRUE(kube.WaitUntil([&] { return waiting.load(); }));
    for (int i = 0; i < 1003; ++i) recorder.Emit(Denied("u"));
    EXPECT_THAT(metrics.Exposition(), HasSubstr("\nportcullis_events_dropped_total 3\n"));
    held = false;
    held.notify_all();
  }
  EXPECT_LE(kube.All(kEvents).size(), 2u);
}

}  // namespace
}  // namespace portcullis::kube

#include "kube/work_queue.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/support/fake_clock.h"

namespace portcullis::kube {
namespace {

using namespace std::chrono_literals;

const ObjectKey kA{"default", "a"};
const ObjectKey kB{"default", "b"};

class WorkQueueTest : public testing::Test {
 protected:
  test::FakeClock clock_;
  metrics::Metrics metrics_{"controller"};
  WorkQueue queue_{"keyrelease", clock_, metrics_, [] { return 0.0; }};
};

TEST_F(WorkQueueTest, AKeyWaitsOnceAndInOrder) {
  queue_.Add(kB);
  clock_.Advance(1ms);
  queue_.Add(kA);
  queue_.Add(kB);
  EXPECT_EQ(queue_.size(), 2u);
  EXPECT_EQ(queue_.TryTake(), kB);
  EXPECT_EQ(queue_.TryTake(), kA);
  EXPECT_EQ(queue_.TryTake(), std::nullopt);
}

TEST_F(WorkQueueTest, AKeyThatIsHeldComesAgainAfterDoneAndNotBefore) {
  queue_.Add(kA);
  EXPECT_EQ(queue_.TryTake(), kA);
  queue_.Add(kA);
  queue_.Add(kA);
  EXPECT_EQ(queue_.TryTake(), std::nullopt);
  queue_.Done(kA);
  EXPECT_EQ(queue_.TryTake(), kA);
  queue_.Done(kA);
  EXPECT_EQ(queue_.TryTake(), std::nullopt);
}

TEST_F(WorkQueueTest, AddAfterComesWhenItIsDue) {
  queue_.AddAfter(kA, 10s);
  clock_.Advance(9999ms);
  EXPECT_EQ(queue_.TryTake(), std::nullopt);
  clock_.Advance(1ms);
  EXPECT_EQ(queue_.TryTake(), kA);
}

TEST_F(WorkQueueTest, OfSeveralDelaysTheEarliestCounts) {
  queue_.AddAfter(kA, 10s);
  queue_.AddAfter(kA, 5s);
  queue_.AddAfter(kA, 20s);
  clock_.Advance(5s);
  EXPECT_EQ(queue_.TryTake(), kA);
  queue_.Done(kA);
  clock_.Advance(1h);
  EXPECT_EQ(queue_.TryTake(), std::nullopt);
}

TEST_F(WorkQueueTest, FailuresPutAKeyOffTwiceAsLongUpToFiveMinutes) {
  auto expected = 5ms;
  for (int failure = 1; failure <= 20; ++failure) {
    queue_.Retry(kA);
    clock_.Advance(expected - 1ms);
    EXPECT_EQ(queue_.TryTake(), std::nullopt) << failure;
    clock_.Advance(1ms);
    ASSERT_EQ(queue_.TryTake(), kA) << failure;
    queue_.Done(kA);
    expected = std::min<std::chrono::milliseconds>(expected * 2, 5min);
  }
  queue_.Forget(kA);
  queue_.Retry(kA);
  clock_.Advance(5ms);
  EXPECT_EQ(queue_.TryTake(), kA);
}

TEST_F(WorkQueueTest, OneKeysFailuresDoNotDelayAnother) {
  for (int i = 0; i < 10; ++i) queue_.Retry(kA);
  queue_.Retry(kB);
  clock_.Advance(5ms);
  EXPECT_NE(queue_.TryTake(), std::nullopt);
}

TEST_F(WorkQueueTest, ShutdownWakesAllWhoWait) {
  std::thread first([&] { EXPECT_EQ(queue_.Take(), std::nullopt); });
  std::thread second([&] { EXPECT_EQ(queue_.Take(), std::nullopt); });
  queue_.Shutdown();
  first.join();
  second.join();
  queue_.Add(kA);
  queue_.AddAfter(kB, 0ms);
  EXPECT_EQ(queue_.TryTake(), std::nullopt);
}

TEST_F(WorkQueueTest, NoTwoWorkersHoldTheSameKey) {
  const SystemClock clock;
  WorkQueue queue("keyrelease", clock, metrics_);
  constexpr int kKeys = 5, kRounds = 400;
  std::atomic<int> holders[kKeys] = {};
  std::atomic<int> taken{0};
  std::vector<std::thread> workers;
  for (int worker = 0; worker < 4; ++worker)
    workers.emplace_back([&] {
      while (const auto key = queue.Take()) {
        auto& held = holders[key->name[0] - '0'];
        EXPECT_EQ(held.fetch_add(1), 0);
        std::this_thread::yield();
        held.fetch_sub(1);
        ++taken;
        queue.Done(*key);
      }
    });
  for (int round = 0; round < kRounds; ++round) queue.Add({"default", std::to_string(round % kKeys)});
  while (taken < kKeys || queue.size() > 0) std::this_thread::yield();
  queue.Shutdown();
  for (std::thread& worker : workers) worker.join();
}

TEST_F(WorkQueueTest, TellsItsMetrics) {
  queue_.Add(kA);
  queue_.Add(kB);
  clock_.Advance(2s);
  queue_.TryTake();
  queue_.Retry(kA);
  const std::string text = metrics_.Exposition();
  EXPECT_NE(text.find("workqueue_adds_total{name=\"keyrelease\"} 2"), std::string::npos);
  EXPECT_NE(text.find("workqueue_depth{name=\"keyrelease\"} 1"), std::string::npos);
  EXPECT_NE(text.find("workqueue_retries_total{name=\"keyrelease\"} 1"), std::string::npos);
  EXPECT_NE(text.find("workqueue_queue_duration_seconds_sum{name=\"keyrelease\"} 2"), std::string::npos);
}

}  // namespace
}  // namespace portcullis::kube

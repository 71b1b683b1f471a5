#include "kube/backoff.h"

#include <gtest/gtest.h>

namespace portcullis::kube {
namespace {

using namespace std::chrono_literals;

constexpr BackoffShape kShape{800ms, 2.0, 1.0, 30s};

TEST(DelayAfter, DoublesUpToTheCap) {
  const Jitter none = [] { return 0.0; };
  EXPECT_EQ(DelayAfter(kShape, 1, none), 800ms);
  EXPECT_EQ(DelayAfter(kShape, 2, none), 1600ms);
  EXPECT_EQ(DelayAfter(kShape, 6, none), 25600ms);
  EXPECT_EQ(DelayAfter(kShape, 7, none), 30s);
  EXPECT_EQ(DelayAfter(kShape, 4'000'000'000u, none), 30s);
}

TEST(DelayAfter, JitterLengthensButNeverPassesTheCap) {
  EXPECT_EQ(DelayAfter(kShape, 1, [] { return 0.5; }), 1200ms);
  EXPECT_EQ(DelayAfter(kShape, 6, [] { return 0.999; }), 30s);
}

TEST(RandomFraction, StaysBelowOne) {
  for (int i = 0; i < 1000; ++i) {
    const double fraction = RandomFraction();
    EXPECT_GE(fraction, 0.0);
    EXPECT_LT(fraction, 1.0);
  }
}

TEST(WaitUnlessStopped, ReturnsAtOnceWhenStopped) {
  const std::atomic<bool> stop{true};
  WaitUnlessStopped(1h, stop);  // or the test times out
}

}  // namespace
}  // namespace portcullis::kube

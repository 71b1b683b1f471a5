#pragma once

#include <mutex>

#include "base/clock.h"

namespace portcullis::test {

/// Time that stands still until a test moves it; wall and steady time move together. Thread-safe.
class FakeClock final : public Clock {
 public:
  /// Starts at 2026-11-24T21:53:00Z unless told otherwise.
  FakeClock()
      : FakeClock(std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) + std::chrono::hours(21) +
                  std::chrono::minutes(53)) {}
  explicit FakeClock(WallTime start) : now_(start) {}

  WallTime Now() const override {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  SteadyTime Steady() const override {
    const std::lock_guard lock(mutex_);
    return steady_;
  }

  void Advance(std::chrono::milliseconds duration) {
    const std::lock_guard lock(mutex_);
    now_ += duration;
    steady_ += duration;
  }
  /// Sets wall time alone, as an administrator or NTP does.
  void SetWallTime(WallTime now) {
    const std::lock_guard lock(mutex_);
    now_ = now;
  }

 private:
  mutable std::mutex mutex_;
  WallTime now_;
  SteadyTime steady_{std::chrono::hours(1)};
};

}  // namespace portcullis::test

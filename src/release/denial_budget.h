#pragma once

#include <algorithm>
#include <mutex>

#include "base/clock.h"

namespace portcullis::release {

/// How many denials are recorded: a burst, then so many a second. Anyone can be denied, and each denial is
/// rows that are never deleted: without a bound, a stranger could fill the disk and so stop every release.
/// Who finds no room is told to come again, with nothing decided. Thread-safe.
class DenialBudget {
 public:
  static constexpr double kBurst = 10'000;      // all pods of a large cluster, denied at once by a bad policy
  static constexpr double kRefillASecond = 50;  // some 4 GB of rows a day at the worst

  explicit DenialBudget(const Clock& clock, double burst = kBurst)
      : clock_(clock), burst_(burst), refilled_(clock.Steady()), left_(burst) {}

  bool TakeOne() {
    const std::lock_guard lock(mutex_);
    const SteadyTime now = clock_.Steady();
    const std::chrono::duration<double> passed = now - refilled_;
    left_ = std::min(burst_, left_ + passed.count() * kRefillASecond);
    refilled_ = now;
    if (left_ < 1) return false;
    left_ -= 1;
    return true;
  }

 private:
  const Clock& clock_;
  const double burst_;
  std::mutex mutex_;
  SteadyTime refilled_;
  double left_;
};

}  // namespace portcullis::release

#pragma once

#include <atomic>
#include <chrono>
#include <functional>

namespace portcullis::kube {

/// A fraction in [0, 1) that spreads what many processes would do at the same moment. Not for secrets.
using Jitter = std::function<double()>;
double RandomFraction();  // thread-safe

/// Waits for `duration`, less where `stop` is set meanwhile. A port, so that tests take no time.
using Wait = std::function<void(std::chrono::milliseconds duration, const std::atomic<bool>& stop)>;
void WaitUnlessStopped(std::chrono::milliseconds duration, const std::atomic<bool>& stop);

/// Exponential growth from `first` by `factor` up to `cap`, each step lengthened by up to `jitter` of itself
/// before the cap.
struct BackoffShape {
  std::chrono::milliseconds first;
  double factor;
  double jitter;
  std::chrono::milliseconds cap;
};

/// The delay before try number `failures` + 1. Never below `first`, never above `cap`.
std::chrono::milliseconds DelayAfter(const BackoffShape& shape, unsigned failures, const Jitter& jitter);

}  // namespace portcullis::kube

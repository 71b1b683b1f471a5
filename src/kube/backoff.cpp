#include "kube/backoff.h"

#include <algorithm>
#include <random>
#include <thread>

namespace portcullis::kube {
namespace {

// How late a stop may be noticed.
constexpr std::chrono::milliseconds kSlice{100};

}  // namespace

double RandomFraction() {
  thread_local std::mt19937_64 engine{std::random_device{}()};
  return std::uniform_real_distribution<double>(0.0, 1.0)(engine);
}

void WaitUnlessStopped(std::chrono::milliseconds duration, const std::atomic<bool>& stop) {
  const auto end = std::chrono::steady_clock::now() + duration;
  for (auto now = std::chrono::steady_clock::now(); now < end && !stop;
       now = std::chrono::steady_clock::now()) {
    std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(kSlice, end - now));
  }
}

std::chrono::milliseconds DelayAfter(const BackoffShape& shape, unsigned failures, const Jitter& jitter) {
  const auto cap = static_cast<double>(shape.cap.count());
  auto delay = static_cast<double>(shape.first.count());
  for (unsigned i = 1; i < failures && delay < cap; ++i) delay *= shape.factor;
  delay *= 1.0 + shape.jitter * jitter();
  return std::chrono::milliseconds(static_cast<std::int64_t>(std::min(delay, cap)));
}

}  // namespace portcullis::kube

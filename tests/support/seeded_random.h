#pragma once

#include <algorithm>
#include <iostream>
#include <mutex>
#include <random>

#include "base/random.h"

namespace portcullis::test {

/// Bytes that a seed decides: the same run again for the same seed. Never for keys that protect anything.
/// Thread-safe.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed = 1) : engine_(seed) {}

  void Fill(std::span<std::byte> out) override {
    const std::lock_guard lock(mutex_);
    std::ranges::generate(out, [this] { return static_cast<std::byte>(engine_() & 0xFF); });
  }

  /// A number in [0, bound).
  std::uint64_t Below(std::uint64_t bound) {
    const std::lock_guard lock(mutex_);
    return std::uniform_int_distribution<std::uint64_t>(0, bound - 1)(engine_);
  }
  ByteBuffer Take(std::size_t count) {
    ByteBuffer out(count);
    Fill(out);
    return out;
  }

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

/// A fresh seed, printed so that a failing run can be had again by writing it into the test.
inline std::uint64_t PrintedSeed() {
  const std::uint64_t seed = std::random_device{}();
  std::cout << "seed: " << seed << std::endl;
  return seed;
}

}  // namespace portcullis::test

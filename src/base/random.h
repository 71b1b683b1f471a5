#pragma once

#include <span>

#include "base/bytes.h"

namespace portcullis {

/// Randomness as a port, fit for keys and nonces. Thread-safe. crypto/random.h has the system's.
class Random {
 public:
  virtual ~Random() = default;
  virtual void Fill(std::span<std::byte> out) = 0;  // aborts where the system has none: there is no fallback
};

}  // namespace portcullis

#pragma once

#include <atomic>
#include <string_view>

namespace portcullis::store {

/// Remembers the first error after which nothing that this process writes can be believed: a failed fsync may
/// have dropped the pages that a retry would then report as written. Never released. Thread-safe.
class Latch {
 public:
  bool tripped() const { return tripped_.load(std::memory_order_acquire); }
  /// Trips and, the first time, says so in the log. `what` is SQLite's own wording, without values.
  void Trip(int code, std::string_view what);

 private:
  std::atomic<bool> tripped_{false};
};

}  // namespace portcullis::store

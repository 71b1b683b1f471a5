#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "kube/backoff.h"
#include "kube/kube.h"

namespace portcullis::kube {

/// Keys of objects to look at. A key waits at most once, however often it is added; no two workers hold the
/// same key; a key added while it is held comes again after Done. Failures put a key off by 5 ms, doubled
/// each time up to five minutes. Thread-safe.
class WorkQueue {
 public:
  /// `name` is the metrics' label. The clock says when a key that was put off is due.
  WorkQueue(std::string name, const Clock& clock, metrics::Metrics& metrics, Jitter jitter = RandomFraction);

  void Add(const ObjectKey& key);
  /// As Add, once `delay` has passed; of several the earliest counts.
  void AddAfter(const ObjectKey& key, std::chrono::milliseconds delay);
  /// As Add, after the delay of a key that failed once more.
  void Retry(const ObjectKey& key);
  /// The key succeeded: its next failure is its first.
  void Forget(const ObjectKey& key);

  /// The next key, waiting for one; nullopt after Shutdown. Whoever takes a key calls Done.
  std::optional<ObjectKey> Take();
  /// The next key, or nullopt where none is due now.
  std::optional<ObjectKey> TryTake();
  void Done(const ObjectKey& key);

  /// Takes no more keys and wakes all who wait.
  void Shutdown();
  std::size_t size() const;  // due and waiting for a worker

 private:
  struct Held {
    SteadyTime since;
    bool added_again = false;
  };
  void AddLocked(const ObjectKey& key);
  void ReleaseDueLocked();
  std::optional<ObjectKey> TakeLocked();
  void WaitLocked(std::unique_lock<std::mutex>& lock);

  const std::string name_;
  const Clock& clock_;
  metrics::Metrics& metrics_;
  const Jitter jitter_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool shut_down_ = false;
  std::map<ObjectKey, SteadyTime> due_;                   // since when
  std::set<std::pair<SteadyTime, ObjectKey>> due_order_;  // the same, oldest first
  std::map<ObjectKey, Held> held_;
  std::map<ObjectKey, SteadyTime> later_;
  std::set<std::pair<SteadyTime, ObjectKey>> later_order_;
  std::map<ObjectKey, unsigned> failures_;
};

}  // namespace portcullis::kube

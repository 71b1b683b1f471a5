#pragma once

#include <atomic>
#include <functional>

#include "kube/backoff.h"
#include "kube/lease_candidate.h"

namespace portcullis::kube {

/// Keeps a LeaseCandidate in the race: tries every retry period, spread, until it leads, then renews every
/// retry period. Where no renewal succeeds within the renew deadline, leadership is lost and the process is
/// to end.
class LeaderElection {
 public:
  LeaderElection(Api& api, LeaseOptions options, const Clock& clock, metrics::Metrics& metrics,
                 Wait wait = WaitUnlessStopped, Jitter jitter = RandomFraction);

  /// Blocks; give it a thread of its own. `on_started` starts the guarded work and returns; `on_stopped` ends
  /// it and returns once it has ended. Done after `stop`, with the lease released; Error where leadership was
  /// lost: then exit, non-zero.
  Result<> Run(const std::function<void()>& on_started, const std::function<void()>& on_stopped,
               const std::atomic<bool>& stop);
  /// Thread-safe; see LeaseCandidate.
  bool IsLeader() const { return candidate_.IsLeader(); }

 private:
  void Acquire(const std::atomic<bool>& stop);
  void KeepRenewing(const std::atomic<bool>& stop);

  LeaseCandidate candidate_;
  metrics::Metrics& metrics_;
  const Wait wait_;
  const Jitter jitter_;
};

}  // namespace portcullis::kube

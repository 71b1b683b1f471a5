#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>

#include "kube/kube.h"

namespace portcullis::kube {

/// How a lease is asked for: two calls and the wait between tries fit into what the renew deadline leaves of
/// the duration, so that a server that hangs is noticed before others may lead.
inline const ApiConduct kLeaseConduct{
    .max_tries = 1, .timeout = std::chrono::seconds(3), .whole_answer = std::chrono::seconds(3)};

struct LeaseOptions {
  ObjectKey lease;
  std::string identity;  // of this process alone, also after a restart: pod name and something random
  // Each needs room inside the one before: the holder stops before others take over.
  std::chrono::milliseconds duration{15'000};
  std::chrono::milliseconds renew_deadline{10'000};
  std::chrono::milliseconds retry_period{2'000};
};

/// One candidate for a coordination.k8s.io Lease, by the rules of client-go. Times written by others are
/// never compared with our clock: what counts is for how long, on our steady clock, the record has not
/// changed. So skewed clocks do no harm, and clocks that run at different rates have a third of the duration
/// as room. TryAcquireOrRenew and Release are for one thread; IsLeader is thread-safe.
class LeaseCandidate {
 public:
  LeaseCandidate(Api& api, LeaseOptions options, const Clock& clock);

  /// One attempt. True where this candidate now holds the lease.
  bool TryAcquireOrRenew();
  /// True while we hold the lease and our last renewal is younger than the renew deadline. Ask before each
  /// effect (ApiConduct::may_write does): a process that was paused has lost the lease without having
  /// noticed.
  bool IsLeader() const;
  /// Gives the lease up, so that the next candidate need not wait. Only after all guarded work has stopped.
  void Release();

  const LeaseOptions& options() const { return options_; }

 private:
  bool Renew(SteadyTime started);
  bool AcquireByLook(SteadyTime started);
  bool Create(SteadyTime started);
  bool Write(codec::Json object, SteadyTime started);
  codec::Json RecordAfter(const codec::Json& spec) const;
  void Observe(const codec::Json& object);
  bool HeldBySomeoneElse() const;

  Api& api_;
  const LeaseOptions options_;
  const Clock& clock_;
  codec::Json observed_;  // the whole object as last seen or written
  SteadyTime observed_at_{};

  mutable std::mutex mutex_;
  std::optional<SteadyTime>
      renewed_at_;  // of our last success, taken before it was sent; nullopt: not holder
};

}  // namespace portcullis::kube

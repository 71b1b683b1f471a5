#include "kube/leader_election.h"

#include "base/log.h"

namespace portcullis::kube {
namespace {

constexpr double kAcquireJitter = 1.2;  // client-go's: candidates do not meet each time

}  // namespace

LeaderElection::LeaderElection(Api& api, LeaseOptions options, const Clock& clock, metrics::Metrics& metrics,
                               Wait wait, Jitter jitter)
    : candidate_(api, std::move(options), clock),
      metrics_(metrics),
      wait_(std::move(wait)),
      jitter_(std::move(jitter)) {}

Result<> LeaderElection::Run(const std::function<void()>& on_started, const std::function<void()>& on_stopped,
                             const std::atomic<bool>& stop) {
  const LeaseOptions& options = candidate_.options();
  const std::string lease = options.lease.ToString();
  metrics_.Leader(options.lease.name, false);
  Acquire(stop);
  if (stop) {
    candidate_.Release();  // a lease that came in the same moment
    return Done{};
  }

  Log(LogLevel::kInfo, "leading", {{"lease", lease}, {"identity", options.identity}});
  metrics_.Leader(options.lease.name, true);
  on_started();
  KeepRenewing(stop);
  metrics_.Leader(options.lease.name, false);
  on_stopped();
  if (!stop) {
    Log(LogLevel::kError, "leadership lost", {{"lease", lease}, {"identity", options.identity}});
    return Error{ReasonCode::kUnreachable, "the lease could not be renewed in time", lease};
  }
  candidate_.Release();
  return Done{};
}

void LeaderElection::Acquire(const std::atomic<bool>& stop) {
  const auto period = candidate_.options().retry_period;
  const BackoffShape spread{period, 1.0, kAcquireJitter, period * 3};
  while (!stop && !candidate_.TryAcquireOrRenew()) wait_(DelayAfter(spread, 1, jitter_), stop);
}

void LeaderElection::KeepRenewing(const std::atomic<bool>& stop) {
  while (!stop) {
    wait_(candidate_.options().retry_period, stop);
    if (stop) return;
    // Past the deadline there is no renewing: others may lead by now, and guarded work must end first.
    if (!candidate_.IsLeader()) return;
    candidate_.TryAcquireOrRenew();
    if (!candidate_.IsLeader()) return;
  }
}

}  // namespace portcullis::kube

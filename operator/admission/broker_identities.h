#pragma once

#include <deque>
#include <vector>

#include "base/clock.h"
#include "operator/admission/pod_rules.h"

namespace portcullis::control {

/// The broker's identity as it is known now, and those before it for some minutes: replicas learn of a change
/// apart from each other, and a pod passes through two of them. Not thread-safe.
class BrokerIdentities {
 public:
  /// Longer than a replica takes to learn of a change and a pod takes from one replica to the next.
  static constexpr std::chrono::minutes kRemembered{10};
  static constexpr std::size_t kMaxRemembered = 8;  // a broker that changes every minute is no broker

  void Learn(BrokerIdentity identity, SteadyTime now);
  const BrokerIdentity& current() const { return current_; }
  std::vector<BrokerIdentity> EarlierAt(SteadyTime now) const;

 private:
  struct Replaced {
    BrokerIdentity identity;
    SteadyTime at;
  };
  BrokerIdentity current_;
  std::deque<Replaced> replaced_;
};

}  // namespace portcullis::control

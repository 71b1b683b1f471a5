#include "operator/admission/broker_identities.h"

namespace portcullis::control {

void BrokerIdentities::Learn(BrokerIdentity identity, SteadyTime now) {
  if (identity == current_) return;
  if (!current_.signing_key.is_null()) replaced_.push_back({std::move(current_), now});
  if (replaced_.size() > kMaxRemembered) replaced_.pop_front();
  current_ = std::move(identity);
}

std::vector<BrokerIdentity> BrokerIdentities::EarlierAt(SteadyTime now) const {
  std::vector<BrokerIdentity> earlier;
  for (const Replaced& replaced : replaced_)
    if (now - replaced.at < kRemembered) earlier.push_back(replaced.identity);
  return earlier;
}

}  // namespace portcullis::control

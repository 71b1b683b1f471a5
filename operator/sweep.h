#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "kube/kube.h"
#include "operator/broker.h"

namespace portcullis::control {

/// Who is told of what the broker keeps in force for a cluster: the object that it comes from.
struct InForce {
  std::function<void(const kube::ObjectKey&)> key, policy, release;  // ModelKey, ReleasePolicy, KeyRelease
};

/// Reads all that the broker keeps in force for `cluster`: releases that are not revoked, keys and policies
/// that it mirrors. What went away while nobody watched shows in that the cluster has no such object. Ends
/// early where `stop` is set. Each of the three is read though another could not be; the first Error counts.
Result<> VisitInForce(Broker& broker, const std::string& cluster, const InForce& tell,
                      const std::atomic<bool>& stop);

}  // namespace portcullis::control

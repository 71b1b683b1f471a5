#pragma once

#include <chrono>
#include <optional>

#include "kube/kube.h"

namespace portcullis::control {

/// When an object wants to be looked at again though nothing changes: nullopt for not at all.
struct NextLook {
  std::optional<std::chrono::milliseconds> after = std::nullopt;
};

/// Told which object, never what happened to it; calling it twice changes nothing. An Error is tried again
/// with backoff.
class Reconciler {
 public:
  virtual ~Reconciler() = default;
  virtual Result<NextLook> Reconcile(const kube::ObjectKey& key) = 0;
};

}  // namespace portcullis::control

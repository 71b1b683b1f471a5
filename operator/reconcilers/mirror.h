#pragma once

#include <functional>

#include "base/clock.h"
#include "kube/events.h"
#include "operator/broker.h"
#include "operator/reconcilers/reconciler.h"

namespace portcullis::control {

/// Mirrors ModelKey objects to the broker, which checks and keeps them, and says in the object's status what
/// came of it. The operator only carries: a key is ciphertext to it.
class ModelKeyReconciler final : public Reconciler {
 public:
  /// `on_accepted` is told the namespace of a key that is new to the broker: policies may have waited for it.
  ModelKeyReconciler(kube::Api& api, Broker& broker, const Clock& clock,
                     std::function<void(const std::string&)> on_accepted)
      : api_(api), broker_(broker), clock_(clock), on_accepted_(std::move(on_accepted)) {}
  Result<NextLook> Reconcile(const kube::ObjectKey& key) override;

 private:
  kube::Api& api_;
  Broker& broker_;
  const Clock& clock_;
  const std::function<void(const std::string&)> on_accepted_;
};

/// Mirrors signed ReleasePolicy documents likewise. The signature is the broker's to check.
class ReleasePolicyReconciler final : public Reconciler {
 public:
  ReleasePolicyReconciler(kube::Api& api, Broker& broker, const Clock& clock)
      : api_(api), broker_(broker), clock_(clock) {}
  Result<NextLook> Reconcile(const kube::ObjectKey& key) override;

 private:
  kube::Api& api_;
  Broker& broker_;
  const Clock& clock_;
};

}  // namespace portcullis::control

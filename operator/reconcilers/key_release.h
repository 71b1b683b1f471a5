#pragma once

#include <functional>

#include "base/clock.h"
#include "kube/events.h"
#include "metrics/metrics.h"
#include "operator/broker.h"
#include "operator/reconcilers/key_release_status.h"
#include "operator/reconcilers/reconciler.h"

namespace portcullis::control {

/// Keeps one release as the broker has it: registered, its Secret there or gone, its status and Event telling
/// why. A release that the broker has for another pod is neither delivered nor taken back.
class KeyReleaseReconciler final : public Reconciler {
 public:
  KeyReleaseReconciler(kube::Api& api, Broker& broker, std::function<void(kube::Event)> emit,
                       const Clock& clock, metrics::Metrics& metrics, std::string cluster)
      : api_(api),
        broker_(broker),
        emit_(std::move(emit)),
        clock_(clock),
        metrics_(metrics),
        cluster_(std::move(cluster)) {}

  Result<NextLook> Reconcile(const kube::ObjectKey& key) override;

 private:
  Result<> TakeBackGone(const kube::ObjectKey& key, const std::string& release_id);
  Result<codec::Json> Known(const codec::Json& key_release, const std::string& release_id);
  Result<codec::Json> Registered(const codec::Json& key_release, const std::string& release_id);
  Result<codec::Json> TakenBack(const codec::Json& key_release, const std::string& release_id,
                                std::string_view cause);
  SecretState Deliver(const codec::Json& key_release, const std::string& release_id,
                      const codec::Json& release, const codec::Json& pod);
  Result<> WriteStatus(const kube::ObjectKey& key, const codec::Json& key_release, const codec::Json& status,
                       const codec::Json& pod);

  kube::Api& api_;
  Broker& broker_;
  std::function<void(kube::Event)> emit_;
  const Clock& clock_;
  metrics::Metrics& metrics_;
  const std::string cluster_;
};

}  // namespace portcullis::control

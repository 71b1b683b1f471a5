#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "kube/events.h"
#include "kube/informer.h"
#include "kube/work_queue.h"
#include "operator/broker.h"
#include "operator/reconcilers/reconciler.h"

namespace portcullis::control {

/// The controller's machinery: one informer, one queue and its workers for each kind, the broker's decision
/// feed, a look for what the broker keeps in force though its object went away while nobody watched. Runs
/// only while this replica leads.
class Controller {
 public:
  Controller(const Options& options, kube::Api& api, Broker& broker, const Clock& clock,
             metrics::Metrics& metrics);
  ~Controller();  // stops
  void Start();
  void Stop();
  /// "" when all kinds are listed; else what is missing.
  std::string NotReady() const;

 private:
  struct Kind;
  Kind* AddKind(const std::string& name, const kube::Resource& resource, std::string label_selector,
                std::unique_ptr<Reconciler> reconciler, int workers);
  bool HasRelease(const kube::ObjectKey& release, std::string_view pod_uid) const;
  void PodChanged(const kube::ObjectKey& key);
  void LookAtPoliciesOf(const std::string& namespace_name);
  void LookAtEverything();
  void Work(Kind& kind);
  void FollowDecisions();
  void Sweep();
  Result<> SweepOnce();
  void CountPhases();

  const Options options_;
  kube::Api& api_;
  Broker& broker_;
  const Clock& clock_;
  metrics::Metrics& metrics_;
  kube::EventRecorder events_;
  std::atomic<bool> stop_{false};
  std::vector<std::unique_ptr<Kind>> kinds_;
  Kind *keys_ = nullptr, *policies_ = nullptr, *releases_ = nullptr, *pods_ = nullptr;
  std::map<kube::ObjectKey, kube::ObjectKey> release_of_pod_;  // touched by the thread of the pods' informer
  std::vector<std::thread> threads_;
};

}  // namespace portcullis::control

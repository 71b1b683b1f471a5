#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/reason.h"

namespace portcullis::metrics {

/// Every metric of Portcullis, and nothing else: label values are closed enums, never a pod, key or nonce.
/// The declarations (name, help, type, labels, buckets) are in metrics.cpp; docs/reference/metrics.md derives
/// from them. Thread-safe; each call is some tens of nanoseconds.
class Metrics {
 public:
  /// `component` is "kbs", "controller", "webhook" or "operator" (both in one process): it chooses which
  /// families are exposed and is a label of build_info. Calls for a family of another component are dropped.
  explicit Metrics(std::string_view component);
  ~Metrics();

  // broker
  void Decision(bool allowed, std::string_view reason, std::string_view tee);  // reason "" when allowed
  void AttestationDuration(std::string_view tee, std::string_view phase, std::chrono::nanoseconds took);
  void KeyRelease(std::string_view delivery);
  void Revocation(std::string_view cause);
  void ChallengeRejected(ReasonCode reason);
  void AuditSequence(std::int64_t sequence);
  void AuditCommit(std::chrono::nanoseconds took);
  void PolicyRevision(std::int64_t accepted_policies, std::int64_t highest_revision);
  void HttpRequest(std::string_view server, int status);               // served, by class of status
  void HttpRejected(std::string_view server, std::string_view cause);  // refused before routing
  // operator
  void KeyReleases(std::string_view phase, std::int64_t count);
  void TimeToKey(std::chrono::nanoseconds took);
  void WebhookAdmission(bool allowed, std::string_view reason);
  void WebhookDuration(std::chrono::nanoseconds took);
  void WebhookCertificateExpiry(std::int64_t unix_seconds);
  void CollateralExpiry(std::string_view kind, std::int64_t unix_seconds);
  void CollateralFetch(std::string_view kind, std::string_view outcome);
  void CollateralEvaluationNumber(std::string_view set, std::uint32_t number);  // "standard", "early"
  void EventDropped();
  void WorkQueueAdd(std::string_view queue);
  void WorkQueueDepth(std::string_view queue, std::int64_t depth);
  void WorkQueueWait(std::string_view queue,
                     std::chrono::nanoseconds took);  // workqueue_queue_duration_seconds
  void WorkQueueWork(std::string_view queue,
                     std::chrono::nanoseconds took);  // workqueue_work_duration_seconds
  void WorkQueueRetry(std::string_view queue);
  void RestClientRequest(int status, std::string_view method);  // rest_client_requests_total
  void Leader(std::string_view lease, bool master);

  /// The text exposition (version 0.0.4), with process_* read from /proc at this moment.
  std::string Exposition() const;

  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace portcullis::metrics

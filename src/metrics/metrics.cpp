#include "metrics/metrics.h"

#include <prometheus/text_serializer.h>

#include <iterator>
#include <sstream>

#include "metrics/process.h"
#include "metrics/recorder.h"

namespace portcullis::metrics {
namespace {

constexpr std::string_view kVersion = "0.1.0";

// Verification of one report takes about 0.5 ms; the whole of a composite with fetched collateral, seconds.
constexpr double kAttestationBuckets[] = {0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02,
                                          0.05,   0.1,    0.25,   0.5,   1,     2.5,   10,   30};
// A commit is one or two fdatasync of some 200 us each, or a slow disk.
constexpr double kCommitBuckets[] = {0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5};
// From the creation of a pod until its key: a guest boots in between.
constexpr double kTimeToKeyBuckets[] = {0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600};
// The API server gives a webhook 10 s by default.
constexpr double kWebhookBuckets[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                      0.1,    0.25,  0.5,    1,     2.5,  10};
// client-go's own: ten to the power of -8 to 3.
constexpr double kQueueBuckets[] = {1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100, 1000};

using enum FamilyId;
using enum Kind;
constexpr Components kOperator = kController | kWebhook;

// clang-format off: a table, one row a line.
constexpr Declaration kDeclarations[] = {
    {kBuildInfo,
     "portcullis_build_info",
     kGauge,
     kEvery,
     {"component", "version"},
     {},
     "Always 1; what is running."},
    {kDecisions,
     "portcullis_decisions_total",
     kCounter,
     kBroker,
     {"verdict", "reason", "tee"},
     {},
     "Decisions on evidence by verdict, first reason (empty when allowed) and TEE; counted once the audit "
     "row is durable."},
    {kAttestationDuration,
     "portcullis_attestation_duration_seconds",
     kHistogram,
     kBroker,
     {"tee", "phase"},
     kAttestationBuckets,
     "Time that each phase of an attestation took."},
    {kKeyReleasesTotal,
     "portcullis_key_releases_total",
     kCounter,
     kBroker,
     {"delivery"},
     {},
     "Keys sealed to a guest by way of delivery."},
    {kRevocations,
     "portcullis_revocations_total",
     kCounter,
     kBroker,
     {"cause"},
     {},
     "Releases revoked by cause."},
    {kChallengeRejections,
     "portcullis_challenge_rejections_total",
     kCounter,
     kBroker,
     {"reason"},
     {},
     "Answers refused because of their challenge, by reason."},
    {kPoliciesAccepted, "portcullis_policies_accepted", kGauge, kBroker, {}, {}, "Policies in force."},
    {kPolicyRevision,
     "portcullis_policy_revision",
     kGauge,
     kBroker,
     {},
     {},
     "Highest revision among the policies in force."},
    {kAuditSequence,
     "portcullis_audit_sequence",
     kGauge,
     kBroker,
     {},
     {},
     "Sequence number of the last durable audit row."},
    {kAuditCommit,
     "portcullis_audit_commit_seconds",
     kHistogram,
     kBroker,
     {},
     kCommitBuckets,
     "Time until an audit row was durable."},
    {kCollateralExpiry,
     "portcullis_collateral_expiry_timestamp_seconds",
     kGauge,
     kBroker | kController,
     {"kind"},
     {},
     "When the first piece of collateral of this kind expires, in Unix time."},
    {kCollateralFetches,
     "portcullis_collateral_fetches_total",
     kCounter,
     kBroker,
     {"kind", "outcome"},
     {},
     "Requests for collateral to its vendor, by kind and outcome."},
    {kCollateralEvaluationNumber,
     "portcullis_collateral_evaluation_number",
     kGauge,
     kBroker,
     {"set"},
     {},
     "TCB evaluation data number of Intel's set in force: which recovery event its levels answer."},
    {kHttpRequests,
     "portcullis_http_requests_total",
     kCounter,
     kEvery,
     {"server", "class"},
     {},
     "Requests that were routed, by server and class of status."},
    {kHttpRejected,
     "portcullis_http_rejected_total",
     kCounter,
     kEvery,
     {"server", "cause"},
     {},
     "Connections and requests refused before routing, by server and cause."},
    {kKeyReleases,
     "portcullis_key_releases",
     kGauge,
     kController,
     {"phase"},
     {},
     "KeyRelease objects by phase."},
    {kTimeToKey,
     "portcullis_time_to_key_seconds",
     kHistogram,
     kController,
     {},
     kTimeToKeyBuckets,
     "Time from the creation of a KeyRelease until its key was delivered."},
    {kEventsDropped,
     "portcullis_events_dropped_total",
     kCounter,
     kOperator,
     {},
     {},
     "Kubernetes Events that were not written because their queue was full."},
    {kWebhookAdmissions,
     "portcullis_webhook_admissions_total",
     kCounter,
     kWebhook,
     {"verdict", "reason"},
     {},
     "Admission reviews answered, by verdict and reason (empty when allowed)."},
    {kWebhookDuration,
     "portcullis_webhook_duration_seconds",
     kHistogram,
     kWebhook,
     {},
     kWebhookBuckets,
     "Time that an admission review took."},
    {kWebhookCertificateExpiry,
     "portcullis_webhook_certificate_expiry_timestamp_seconds",
     kGauge,
     kWebhook,
     {},
     {},
     "When the certificate of the webhook expires, in Unix time."},
    {kWorkQueueDepth, "workqueue_depth", kGauge, kController, {"name"}, {}, "Current depth of workqueue."},
    {kWorkQueueAdds,
     "workqueue_adds_total",
     kCounter,
     kController,
     {"name"},
     {},
     "Total number of adds handled by workqueue."},
    {kWorkQueueWait,
     "workqueue_queue_duration_seconds",
     kHistogram,
     kController,
     {"name"},
     kQueueBuckets,
     "How long in seconds an item stays in workqueue before being requested."},
    {kWorkQueueWork,
     "workqueue_work_duration_seconds",
     kHistogram,
     kController,
     {"name"},
     kQueueBuckets,
     "How long in seconds processing an item from workqueue takes."},
    {kWorkQueueRetries,
     "workqueue_retries_total",
     kCounter,
     kController,
     {"name"},
     {},
     "Total number of retries handled by workqueue."},
    {kRestClientRequests,
     "rest_client_requests_total",
     kCounter,
     kOperator,
     {"code", "method"},
     {},
     "Number of HTTP requests to the API server, partitioned by status code and method."},
    {kLeader,
     "leader_election_master_status",
     kGauge,
     kController,
     {"name"},
     {},
     "Whether this replica is the leader of the named lease: 1 is leader, 0 is not."},
};
// clang-format on

constexpr bool EachFamilyHasItsRowInOrder() {
  std::size_t index = 0;
  for (const Declaration& row : kDeclarations)
    if (static_cast<std::size_t>(row.id) != index++) return false;
  return index == kFamilyCount;
}
static_assert(EachFamilyHasItsRowInOrder());

double Seconds(std::chrono::nanoseconds took) { return std::chrono::duration<double>(took).count(); }

std::string_view Verdict(bool allowed) { return allowed ? "allow" : "deny"; }

std::string_view ClassOf(int status) {
  static constexpr std::string_view kClasses[] = {"1xx", "2xx", "3xx", "4xx", "5xx"};
  return status >= 100 && status <= 599 ? kClasses[status / 100 - 1] : kOtherValue;
}

}  // namespace

std::string_view NameOf(Kind kind) {
  switch (kind) {
    case kCounter:
      return "counter";
    case kGauge:
      return "gauge";
    case kHistogram:
      return "histogram";
  }
  return "untyped";
}

Components ComponentsNamed(std::string_view component) {
  if (component == "kbs") return kBroker;
  if (component == "controller") return kController;
  if (component == "webhook") return kWebhook;
  if (component == "operator") return kOperator;
  return 0;
}

std::span<const Declaration> Declarations() { return kDeclarations; }

struct Metrics::Impl {
  explicit Impl(std::string_view component) : recorder(ComponentsNamed(component)) {}
  Recorder recorder;
};

Metrics::Metrics(std::string_view component) : impl_(std::make_unique<Impl>(component)) {
  impl_->recorder.Set(kBuildInfo, {component, kVersion}, 1);
}

Metrics::~Metrics() = default;

void Metrics::Decision(bool allowed, std::string_view reason, std::string_view tee) {
  impl_->recorder.Count(kDecisions, {Verdict(allowed), reason, tee});
}
void Metrics::AttestationDuration(std::string_view tee, std::string_view phase,
                                  std::chrono::nanoseconds took) {
  impl_->recorder.Observe(kAttestationDuration, {tee, phase}, Seconds(took));
}
void Metrics::KeyRelease(std::string_view delivery) { impl_->recorder.Count(kKeyReleasesTotal, {delivery}); }
void Metrics::Revocation(std::string_view cause) { impl_->recorder.Count(kRevocations, {cause}); }
void Metrics::ChallengeRejected(ReasonCode reason) {
  impl_->recorder.Count(kChallengeRejections, {NameOf(reason)});
}
void Metrics::AuditSequence(std::int64_t sequence) {
  impl_->recorder.Set(kAuditSequence, {}, static_cast<double>(sequence));
}
void Metrics::AuditCommit(std::chrono::nanoseconds took) {
  impl_->recorder.Observe(kAuditCommit, {}, Seconds(took));
}
void Metrics::PolicyRevision(std::int64_t accepted_policies, std::int64_t highest_revision) {
  impl_->recorder.Set(kPoliciesAccepted, {}, static_cast<double>(accepted_policies));
  impl_->recorder.Set(kPolicyRevision, {}, static_cast<double>(highest_revision));
}
void Metrics::HttpRequest(std::string_view server, int status) {
  impl_->recorder.Count(kHttpRequests, {server, ClassOf(status)});
}
void Metrics::HttpRejected(std::string_view server, std::string_view cause) {
  impl_->recorder.Count(kHttpRejected, {server, cause});
}
void Metrics::KeyReleases(std::string_view phase, std::int64_t count) {
  impl_->recorder.Set(FamilyId::kKeyReleases, {phase}, static_cast<double>(count));
}
void Metrics::TimeToKey(std::chrono::nanoseconds took) {
  impl_->recorder.Observe(kTimeToKey, {}, Seconds(took));
}
void Metrics::WebhookAdmission(bool allowed, std::string_view reason) {
  impl_->recorder.Count(kWebhookAdmissions, {Verdict(allowed), reason});
}
void Metrics::WebhookDuration(std::chrono::nanoseconds took) {
  impl_->recorder.Observe(kWebhookDuration, {}, Seconds(took));
}
void Metrics::WebhookCertificateExpiry(std::int64_t unix_seconds) {
  impl_->recorder.Set(kWebhookCertificateExpiry, {}, static_cast<double>(unix_seconds));
}
void Metrics::CollateralExpiry(std::string_view kind, std::int64_t unix_seconds) {
  impl_->recorder.Set(kCollateralExpiry, {kind}, static_cast<double>(unix_seconds));
}
void Metrics::CollateralFetch(std::string_view kind, std::string_view outcome) {
  impl_->recorder.Count(kCollateralFetches, {kind, outcome});
}
void Metrics::CollateralEvaluationNumber(std::string_view set, std::uint32_t number) {
  impl_->recorder.Set(FamilyId::kCollateralEvaluationNumber, {set}, number);
}
void Metrics::EventDropped() { impl_->recorder.Count(kEventsDropped); }
void Metrics::WorkQueueAdd(std::string_view queue) { impl_->recorder.Count(kWorkQueueAdds, {queue}); }
void Metrics::WorkQueueDepth(std::string_view queue, std::int64_t depth) {
  impl_->recorder.Set(kWorkQueueDepth, {queue}, static_cast<double>(depth));
}
void Metrics::WorkQueueWait(std::string_view queue, std::chrono::nanoseconds took) {
  impl_->recorder.Observe(kWorkQueueWait, {queue}, Seconds(took));
}
void Metrics::WorkQueueWork(std::string_view queue, std::chrono::nanoseconds took) {
  impl_->recorder.Observe(kWorkQueueWork, {queue}, Seconds(took));
}
void Metrics::WorkQueueRetry(std::string_view queue) { impl_->recorder.Count(kWorkQueueRetries, {queue}); }
void Metrics::RestClientRequest(int status, std::string_view method) {
  // client-go's word for a request that got no answer.
  const std::string code = status >= 100 && status <= 599 ? std::to_string(status) : "<error>";
  impl_->recorder.Count(kRestClientRequests, {code, method});
}
void Metrics::Leader(std::string_view lease, bool master) {
  impl_->recorder.Set(kLeader, {lease}, master ? 1 : 0);
}

std::string Metrics::Exposition() const {
  std::vector<prometheus::MetricFamily> families = impl_->recorder.Collect();
  std::vector<prometheus::MetricFamily> process = ProcessFamilies();
  families.insert(families.end(), std::make_move_iterator(process.begin()),
                  std::make_move_iterator(process.end()));
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return std::move(out).str();
}

}  // namespace portcullis::metrics

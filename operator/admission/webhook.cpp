#include "operator/admission/webhook.h"

#include "base/log.h"
#include "kube/backoff.h"
#include "kube/file.h"

namespace portcullis::control {
namespace {

using codec::Json;

constexpr std::chrono::seconds kRefreshPeriod{60}, kFirstRefreshPeriod{1}, kShortestRefreshPeriod{1};
constexpr std::size_t kMaxPemBytes = 64 * 1024;

/// A part of an object from the local copy or, where that has not heard of it yet, from the API server.
std::optional<Json> PartOf(const kube::Informer& informer, kube::Api& api, const kube::Resource& resource,
                           const kube::ObjectKey& key, std::initializer_list<std::string_view> path) {
  const auto copy = informer.Find(key);
  const auto live = copy == nullptr ? api.Get(resource, key) : Result<Json>(*copy);
  if (!live) return std::nullopt;
  const Json* part = live->At(path);
  if (part == nullptr) return std::nullopt;
  return *part;
}

}  // namespace

Webhook::Webhook(const Options& options, kube::Api& api, Broker& broker, Random& random, const Clock& clock,
                 metrics::Metrics& metrics)
    : options_(options),
      api_(api),
      broker_(broker),
      random_(random),
      clock_(clock),
      metrics_(metrics),
      certificate_(api,
                   {options.namespace_name, options.webhook_secret, options.webhook_service,
                    options.mutating_configuration, options.validating_configuration},
                   clock, metrics),
      policies_(api, kube::kReleasePolicies, "", "", [](const kube::ObjectKey&) {}),
      keys_(api, kube::kModelKeys, "", "", [](const kube::ObjectKey&) {}) {}

Result<std::unique_ptr<Webhook>> Webhook::Start(const Options& options, kube::Api& api, Broker& broker,
                                                Random& random, const Clock& clock, metrics::Metrics& metrics,
                                                const std::atomic<bool>& stop_requested) {
  std::unique_ptr<Webhook> webhook(new Webhook(options, api, broker, random, clock, metrics));
  Webhook* self = webhook.get();
  webhook->threads_.emplace_back([self] { self->policies_.Run(self->stop_); });
  webhook->threads_.emplace_back([self] { self->keys_.Run(self->stop_); });
  webhook->threads_.emplace_back([self] { self->RefreshLoop(); });
  // The server needs a certificate to start with; the API server may take a moment.
  while (webhook->certificate_.Current().first.empty()) {
    if (stop_requested) return std::unique_ptr<Webhook>();
    if (const auto refreshed = webhook->certificate_.Refresh();
        !refreshed && refreshed.error().code == ReasonCode::kForbidden)
      return refreshed.error();
    kube::WaitUnlessStopped(std::chrono::milliseconds(500), stop_requested);
  }
  http::ServerOptions server = options.webhook;
  server.certificate_source = [self] { return self->certificate_.Current(); };
  http::Router router;
  router.Add("POST", "/mutate", [self](const http::Request& request) { return self->Review(request, true); });
  router.Add("POST", "/validate",
             [self](const http::Request& request) { return self->Review(request, false); });
  webhook->server_ = TRY(http::Server::Start(server, std::move(router), metrics));
  return webhook;
}

Webhook::~Webhook() {
  stop_ = true;
  if (server_) server_->Stop(std::chrono::seconds(5));
  for (std::thread& thread : threads_) thread.join();
}

void Webhook::RefreshIdentity() {
  // One at a time: an answer from before a rotation must not come after one from behind it.
  const std::lock_guard one(refresh_mutex_);
  {
    const std::lock_guard lock(mutex_);
    identity_asked_ = clock_.Steady();
  }
  const auto ca = kube::ReadFile(options_.guest_ca_file, kMaxPemBytes);
  const auto identity = broker_.Identity();
  if (!ca || !identity) {
    Log(LogLevel::kWarning, "broker identity can't be read",
        {{"error", (ca ? identity.error() : ca.error()).ToString()}});
    return;
  }
  const Json* key = identity->Find("signingKey");
  if (key == nullptr) return;
  const std::lock_guard lock(mutex_);
  identities_.Learn({*ca, *key}, clock_.Steady());
}

void Webhook::RefreshIdentityForPod() {
  {
    const std::lock_guard lock(mutex_);
    if (clock_.Steady() - identity_asked_ < kShortestRefreshPeriod) return;
  }
  RefreshIdentity();
}

void Webhook::RefreshLoop() {
  while (!stop_) {
    RefreshIdentity();
    if (const auto refreshed = certificate_.Refresh(); !refreshed)
      Log(LogLevel::kWarning, "webhook certificate can't be refreshed",
          {{"error", refreshed.error().ToString()}});
    kube::WaitUnlessStopped(NotReady().empty() ? kRefreshPeriod : kFirstRefreshPeriod, stop_);
  }
}

std::string Webhook::NotReady() const {
  if (!policies_.synced()) return "ReleasePolicies are not listed yet";
  if (!keys_.synced()) return "ModelKeys are not listed yet";
  if (!certificate_.trusted()) return "the webhook configurations do not hold our CA yet";
  const std::lock_guard lock(mutex_);
  if (identities_.current().signing_key.is_null()) return "the broker's identity is not known yet";
  return "";
}

AdmissionContext Webhook::Context() const {
  const std::lock_guard lock(mutex_);
  return {.runtime_classes = options_.runtime_classes,
          .node_selector_labels = options_.node_selector_labels,
          .agent_image = options_.agent_image,
          .guest_url = options_.guest_url,
          .broker = identities_.current(),
          .earlier_brokers = identities_.EarlierAt(clock_.Steady()),
          .policy =
              [this](const std::string& ns, const std::string& name) {
                return PartOf(policies_, api_, kube::kReleasePolicies, {ns, name}, {"spec", "policy"});
              },
          .model_key =
              [this](const std::string& ns, const std::string& name) {
                return PartOf(keys_, api_, kube::kModelKeys, {ns, name}, {"spec"});
              }};
}

http::Response Webhook::Review(const http::Request& request, bool mutate) {
  const SteadyTime started = clock_.Steady();
  const auto review = ParseAdmissionReview(request.body);
  if (!review) return http::Response::Problem(400, review.error(), request.id);
  Admission admission = mutate ? MutatePod(*review, Context(), random_) : ValidatePod(*review, Context());
  if (!mutate && review->operation == "CREATE" && admission.denial &&
      admission.denial->code == ReasonCode::kImmutableField) {
    RefreshIdentityForPod();
    admission = ValidatePod(*review, Context());
  }
  metrics_.WebhookAdmission(!admission.denial, admission.denial ? NameOf(admission.denial->code) : "");
  metrics_.WebhookDuration(clock_.Steady() - started);
  return http::Response::JsonBody(200, AdmissionResponse(review->uid, admission));
}

}  // namespace portcullis::control

#include "operator/controller.h"

#include <unistd.h>

#include <map>

#include "base/log.h"
#include "kube/objects.h"
#include "operator/reconcilers/key_release.h"
#include "operator/reconcilers/mirror.h"
#include "operator/reconcilers/pod.h"
#include "operator/sweep.h"

namespace portcullis::control {
namespace {

using codec::Json;

constexpr std::chrono::seconds kLongPoll{5};  // also how long stopping may take
constexpr std::chrono::seconds kFeedRetry{2};
constexpr std::chrono::minutes kSweepPeriod{5};
constexpr std::chrono::seconds kPhasePeriod{5};
constexpr std::chrono::milliseconds kListedPoll{200};

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "portcullis";
}

/// Cached copies say what there is, how far it is and whose: what acts reads the object itself.
void KeepIdentityAndPhase(Json& object) {
  Json kept = Json::Object(
      {{"metadata", Json::Object({{"namespace", object.TextAt({"metadata", "namespace"})},
                                  {"name", object.TextAt({"metadata", "name"})},
                                  {"uid", object.TextAt({"metadata", "uid"})},
                                  {"resourceVersion", object.TextAt({"metadata", "resourceVersion"})}})},
       {"status", Json::Object({{"phase", object.TextAt({"status", "phase"})}})}});
  if (const std::string_view cause = object.TextAt({"status", "revocationCause"}); !cause.empty())
    kept.Member("status").Set("revocationCause", cause);
  if (const std::string_view uid = object.TextAt({"spec", "podUid"}); !uid.empty())
    kept.Set("spec", Json::Object({{"podUid", uid}}));
  if (const std::string_view release = object.TextAt({"metadata", "labels", kube::kReleaseIdLabel});
      !release.empty())
    kept.Member("metadata").Set("labels", Json::Object({{std::string(kube::kReleaseIdLabel), release}}));
  object = std::move(kept);
}

kube::ObjectKey ReleaseKeyOf(const Json& pod) {
  return {kube::KeyOf(pod).namespace_name, KeyReleaseNameFor(kube::LabelOf(pod, kube::kReleaseIdLabel))};
}

}  // namespace

struct Controller::Kind {
  std::string name;
  std::unique_ptr<Reconciler> reconciler;
  kube::WorkQueue queue;
  kube::Informer informer;
  int workers;

  Kind(std::string kind_name, const kube::Resource& resource, std::string selector,
       std::unique_ptr<Reconciler> what, int worker_count, kube::Api& api, const Clock& clock,
       metrics::Metrics& metrics, const std::function<void(Kind&, const kube::ObjectKey&)>& on_change)
      : name(std::move(kind_name)),
        reconciler(std::move(what)),
        queue(name, clock, metrics),
        informer(
            api, resource,
            {.namespace_name = "", .label_selector = std::move(selector), .trim = KeepIdentityAndPhase},
            [this, on_change](const kube::ObjectKey& key) { on_change(*this, key); }, clock),
        workers(worker_count) {}
};

Controller::Controller(const Options& options, kube::Api& api, Broker& broker, const Clock& clock,
                       metrics::Metrics& metrics)
    : options_(options),
      api_(api),
      broker_(broker),
      clock_(clock),
      metrics_(metrics),
      events_(api, "portcullis.dev/controller", HostName(), clock, metrics) {
  const auto emit = [this](kube::Event event) { events_.Emit(std::move(event)); };
  // Two workers each: what one of them waits for must not hold up the others' objects.
  keys_ = AddKind("modelkey", kube::kModelKeys, "",
                  std::make_unique<ModelKeyReconciler>(
                      api, broker, clock, [this](const std::string& ns) { LookAtPoliciesOf(ns); }),
                  2);
  policies_ = AddKind("releasepolicy", kube::kReleasePolicies, "",
                      std::make_unique<ReleasePolicyReconciler>(api, broker, clock), 2);
  releases_ =
      AddKind("keyrelease", kube::kKeyReleases, "",
              std::make_unique<KeyReleaseReconciler>(api, broker, emit, clock, metrics, options.cluster), 4);
  pods_ = AddKind(
      "pod", kube::kPods, std::string(kube::kReleaseIdLabel),
      std::make_unique<PodReconciler>(api, emit,
                                      [this](const kube::ObjectKey& release, std::string_view pod_uid) {
                                        return HasRelease(release, pod_uid);
                                      }),
      2);
}

Controller::~Controller() { Stop(); }

Controller::Kind* Controller::AddKind(const std::string& name, const kube::Resource& resource,
                                      std::string label_selector, std::unique_ptr<Reconciler> reconciler,
                                      int workers) {
  kinds_.push_back(std::make_unique<Kind>(name, resource, std::move(label_selector), std::move(reconciler),
                                          workers, api_, clock_, metrics_,
                                          [this](Kind& kind, const kube::ObjectKey& key) {
                                            if (&kind == pods_) return PodChanged(key);
                                            kind.queue.Add(key);
                                          }));
  return kinds_.back().get();
}

bool Controller::HasRelease(const kube::ObjectKey& release, std::string_view pod_uid) const {
  const auto found = releases_->informer.Find(release);
  return found != nullptr && found->TextAt({"spec", "podUid"}) == pod_uid;
}

void Controller::PodChanged(const kube::ObjectKey& key) {
  const auto pod = pods_->informer.Find(key);
  const auto before = release_of_pod_.find(key);
  if (before != release_of_pod_.end() && (pod == nullptr || before->second != ReleaseKeyOf(*pod))) {
    // The garbage collector takes the KeyRelease in its own time, which may be minutes.
    if (releases_->informer.Find(before->second) != nullptr) releases_->queue.Add(before->second);
    release_of_pod_.erase(before);
  }
  if (pod == nullptr) return;
  const kube::ObjectKey release = ReleaseKeyOf(*pod);
  release_of_pod_.insert_or_assign(key, release);
  if (!HasRelease(release, kube::UidOf(*pod))) return pods_->queue.Add(key);
  // Of all that happens to a pod, its end alone is its release's business.
  if (IsFinished(*pod)) releases_->queue.Add(release);
}

void Controller::LookAtPoliciesOf(const std::string& namespace_name) {
  for (const kube::ObjectKey& key : policies_->informer.Keys())
    if (key.namespace_name == namespace_name) policies_->queue.Add(key);
}

void Controller::LookAtEverything() {
  for (const auto& kind : kinds_)
    for (const kube::ObjectKey& key : kind->informer.Keys()) kind->queue.Add(key);
}

void Controller::Start() {
  for (const auto& kind : kinds_) {
    threads_.emplace_back([this, k = kind.get()] { k->informer.Run(stop_); });
    for (int i = 0; i < kind->workers; ++i) threads_.emplace_back([this, k = kind.get()] { Work(*k); });
  }
  threads_.emplace_back([this] { FollowDecisions(); });
  threads_.emplace_back([this] { Sweep(); });
}

void Controller::Stop() {
  stop_ = true;
  for (const auto& kind : kinds_) kind->queue.Shutdown();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

std::string Controller::NotReady() const {
  for (const auto& kind : kinds_)
    if (!kind->informer.synced()) return kind->name + " objects are not listed yet";
  return "";
}

void Controller::Work(Kind& kind) {
  while (const auto key = kind.queue.Take()) {
    const auto next = kind.reconciler->Reconcile(*key);
    if (!next) {
      Log(LogLevel::kWarning, "reconciling failed, will be tried again",
          {{"kind", kind.name}, {"object", key->ToString()}, {"error", next.error().ToString()}});
      kind.queue.Retry(*key);
    } else {
      kind.queue.Forget(*key);
      if (next->after) kind.queue.AddAfter(*key, *next->after);
    }
    kind.queue.Done(*key);
  }
}

void Controller::FollowDecisions() {
  std::int64_t after = 0;
  while (!stop_) {
    const auto page = broker_.Decisions(after, kLongPoll);
    if (!page) {
      Log(LogLevel::kWarning, "decisions can't be read", {{"error", page.error().ToString()}});
      kube::WaitUnlessStopped(kFeedRetry, stop_);
      continue;
    }
    if (const Json* decisions = page->Find("decisions");
        decisions != nullptr && decisions->if_array() != nullptr)
      for (const Json& decision : *decisions->if_array()) {
        if (decision.TextAt({"cluster"}) != options_.cluster) continue;
        const kube::ObjectKey key{std::string(decision.TextAt({"namespace"})),
                                  KeyReleaseNameFor(decision.TextAt({"releaseId"}))};
        if (releases_->informer.Find(key) != nullptr) releases_->queue.Add(key);
      }
    const Json* next = page->Find("next");
    const std::int64_t follows = next == nullptr ? after : next->if_int64().value_or(after);
    if (follows < after) {
      Log(LogLevel::kWarning, "the broker's decisions end before what was read: it was restored",
          {{"read", std::to_string(after)}, {"newest", std::to_string(follows)}});
      LookAtEverything();
    }
    after = follows;
  }
}

void Controller::Sweep() {
  while (!stop_ && !NotReady().empty()) kube::WaitUnlessStopped(kListedPoll, stop_);
  SteadyTime next_sweep{};
  while (!stop_) {
    CountPhases();
    if (clock_.Steady() >= next_sweep) {
      if (const auto swept = SweepOnce(); !swept)
        Log(LogLevel::kWarning, "looking for what outlived its object failed",
            {{"error", swept.error().ToString()}});
      else
        next_sweep = clock_.Steady() + kSweepPeriod;
    }
    kube::WaitUnlessStopped(kPhasePeriod, stop_);
  }
}

/// Compares lists, here and at the broker; each reconciler reads the object itself before it does anything.
Result<> Controller::SweepOnce() {
  const auto add_missing = [](Kind& kind) {
    return [&kind](const kube::ObjectKey& key) {
      if (kind.informer.Find(key) == nullptr) kind.queue.Add(key);
    };
  };
  const auto add_live = [this](const kube::ObjectKey& key) {
    // Live at the broker though it was taken back: the broker was restored to before that.
    const auto known = releases_->informer.Find(key);
    if (known == nullptr || !known->TextAt({"status", "revocationCause"}).empty()) releases_->queue.Add(key);
  };
  // A KeyRelease that someone deleted comes back as long as its pod runs, and says what became of it.
  for (const kube::ObjectKey& key : pods_->informer.Keys())
    if (const auto pod = pods_->informer.Find(key);
        pod != nullptr && !IsFinished(*pod) && !HasRelease(ReleaseKeyOf(*pod), kube::UidOf(*pod)))
      pods_->queue.Add(key);
  return VisitInForce(broker_, options_.cluster,
                      {.key = add_missing(*keys_), .policy = add_missing(*policies_), .release = add_live},
                      stop_);
}

void Controller::CountPhases() {
  std::map<std::string_view, std::int64_t> counts = {
      {"Pending", 0}, {"Registered", 0}, {"Denied", 0}, {"Released", 0}, {"Revoked", 0}};
  for (const kube::ObjectKey& key : releases_->informer.Keys()) {
    const auto release = releases_->informer.Find(key);
    if (release == nullptr) continue;
    const auto counted = counts.find(release->TextAt({"status", "phase"}));
    ++(counted == counts.end() ? counts["Pending"] : counted->second);
  }
  for (const auto& [phase, count] : counts) metrics_.KeyReleases(phase, count);
}

}  // namespace portcullis::control

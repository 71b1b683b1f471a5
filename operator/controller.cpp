#include "operator/controller.h"

#include <unistd.h>

#include <map>

#include "base/log.h"
#include "kube/objects.h"
#include "operator/reconcilers/key_release.h"
#include "operator/reconcilers/mirror.h"
#include "operator/reconcilers/pod.h"

namespace portcullis::control {
namespace {

using codec::Json;

constexpr std::chrono::seconds kLongPoll{5};  // also how long stopping may take
constexpr std::chrono::seconds kFeedRetry{2};
constexpr std::chrono::minutes kOrphanPeriod{5};
constexpr std::chrono::seconds kPhasePeriod{5};

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "portcullis";
}

/// Cached copies are for keys and phases only: what acts reads the object itself.
void KeepIdentityAndPhase(Json& object) {
  Json kept = Json::Object(
      {{"metadata", Json::Object({{"namespace", object.TextAt({"metadata", "namespace"})},
                                  {"name", object.TextAt({"metadata", "name"})},
                                  {"uid", object.TextAt({"metadata", "uid"})},
                                  {"resourceVersion", object.TextAt({"metadata", "resourceVersion"})}})},
       {"status", Json::Object({{"phase", object.TextAt({"status", "phase"})}})}});
  if (const std::string_view release = object.TextAt({"metadata", "labels", kube::kReleaseIdLabel});
      !release.empty())
    kept.Member("metadata").Set("labels", Json::Object({{std::string(kube::kReleaseIdLabel), release}}));
  object = std::move(kept);
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
  AddKind("modelkey", kube::kModelKeys, "", std::make_unique<ModelKeyReconciler>(api, broker, clock), 1);
  AddKind("releasepolicy", kube::kReleasePolicies, "",
          std::make_unique<ReleasePolicyReconciler>(api, broker, clock), 1);
  AddKind("keyrelease", kube::kKeyReleases, "",
          std::make_unique<KeyReleaseReconciler>(
              api, broker, [this](kube::Event event) { events_.Emit(std::move(event)); }, clock, metrics,
              options.cluster),
          4);
  releases_ = kinds_.back().get();
  AddKind("pod", kube::kPods, std::string(kube::kReleaseIdLabel), std::make_unique<PodReconciler>(api), 2);
}

Controller::~Controller() { Stop(); }

void Controller::AddKind(const std::string& name, const kube::Resource& resource, std::string label_selector,
                         std::unique_ptr<Reconciler> reconciler, int workers) {
  kinds_.push_back(std::make_unique<Kind>(
      name, resource, std::move(label_selector), std::move(reconciler), workers, api_, clock_, metrics_,
      [this](Kind& kind, const kube::ObjectKey& key) {
        kind.queue.Add(key);
        if (kind.name != "pod") return;
        // A pod's end is its release's business too.
        const auto pod = kind.informer.Find(key);
        if (pod == nullptr)
          return;  // deleted: the KeyRelease is collected with it, which is an event of its own
        const std::string release_id(pod->TextAt({"metadata", "labels", kube::kReleaseIdLabel}));
        if (kube::IsReleaseId(release_id))
          releases_->queue.Add({key.namespace_name, KeyReleaseNameFor(release_id)});
      }));
}

void Controller::Start() {
  for (const auto& kind : kinds_) {
    threads_.emplace_back([this, k = kind.get()] { k->informer.Run(stop_); });
    for (int i = 0; i < kind->workers; ++i) threads_.emplace_back([this, k = kind.get()] { Work(*k); });
  }
  threads_.emplace_back([this] { FollowDecisions(); });
  threads_.emplace_back([this] { SweepOrphans(); });
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
    if (const Json* next = page->Find("next")) after = next->if_int64().value_or(after);
  }
}

void Controller::SweepOrphans() {
  SteadyTime next_sweep{};
  while (!stop_) {
    CountPhases();
    if (NotReady().empty() && clock_.Steady() >= next_sweep) {
      if (const auto swept = SweepOnce(); !swept)
        Log(LogLevel::kWarning, "looking for orphaned releases failed",
            {{"error", swept.error().ToString()}});
      else
        next_sweep = clock_.Steady() + kOrphanPeriod;
    }
    kube::WaitUnlessStopped(kPhasePeriod, stop_);
  }
}

Result<> Controller::SweepOnce() {
  std::string after;
  do {
    const Json page = TRY(broker_.ListReleases(after));
    const Json* releases = page.Find("releases");
    if (releases == nullptr || releases->if_array() == nullptr) return Done{};
    for (const Json& release : *releases->if_array()) {
      if (release.TextAt({"cluster"}) != options_.cluster || release.TextAt({"phase"}) == "Revoked") continue;
      const kube::ObjectKey key{std::string(release.TextAt({"namespace"})),
                                KeyReleaseNameFor(release.TextAt({"id"}))};
      // The reconciler reads the object itself before it takes anything back.
      if (releases_->informer.Find(key) == nullptr) releases_->queue.Add(key);
    }
    after = page.TextAt({"next"});
  } while (!after.empty() && !stop_);
  return Done{};
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

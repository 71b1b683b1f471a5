#include "kube/informer.h"

#include <algorithm>

#include "base/log.h"
#include "kube/objects.h"
#include "kube/status.h"

namespace portcullis::kube {
namespace {

using namespace std::chrono_literals;

constexpr int kPageSize = 100;
constexpr int kMaxObjects = 500'000;  // more is a server that never ends its list
constexpr BackoffShape kBackoff{800ms, 2.0, 1.0, 30s};
constexpr auto kCalmPeriod = 2min;  // after which earlier failures are forgotten
constexpr auto kShortWatch = 1s;    // a watch that ends sooner, and empty, is a server in trouble
constexpr std::chrono::seconds kMinWatch{240};
constexpr std::chrono::seconds kMaxWatch{300};

void DropManagedFields(codec::Json& object) {
  if (codec::Json* metadata = object.Find("metadata")) metadata->Erase("managedFields");
}

const Clock& TheSystemClock() {
  static const SystemClock clock;
  return clock;
}

}  // namespace

Informer::Informer(Api& api, const Resource& resource, Options options, OnChange on_change,
                   const Clock& clock, Wait wait, Jitter jitter)
    : api_(api),
      resource_(resource),
      options_(std::move(options)),
      on_change_(std::move(on_change)),
      clock_(clock),
      wait_(std::move(wait)),
      jitter_(std::move(jitter)) {}

Informer::Informer(Api& api, const Resource& resource, std::string namespace_name, std::string label_selector,
                   OnChange on_change)
    : Informer(api, resource, Options{std::move(namespace_name), std::move(label_selector)},
               std::move(on_change), TheSystemClock()) {}

std::shared_ptr<const codec::Json> Informer::Find(const ObjectKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(key);
  return found == objects_.end() ? nullptr : found->second;
}

std::vector<ObjectKey> Informer::Keys() const {
  const std::lock_guard lock(mutex_);
  std::vector<ObjectKey> keys;
  keys.reserve(objects_.size());
  for (const auto& [key, object] : objects_) keys.push_back(key);
  return keys;
}

void Informer::Run(const std::atomic<bool>& stop) {
  unsigned failures = 0;
  while (!stop) {
    const SteadyTime started = clock_.Steady();
    const auto round = Round(stop);
    if (round || clock_.Steady() - started >= kCalmPeriod) failures = 0;
    if (round || stop) continue;
    Log(LogLevel::kWarning, "list or watch failed; trying again",
        {{"resource", std::string(resource_.plural)}, {"error", round.error().ToString()}});
    wait_(DelayAfter(kBackoff, ++failures, jitter_), stop);
  }
}

Result<> Informer::Round(const std::atomic<bool>& stop) {
  if (resource_version_.empty()) TRY(Relist());
  const SteadyTime started = clock_.Steady();
  progressed_ = false;
  const auto watch = WatchOnce(stop);
  if (!watch) {
    // Too old, or one that the server does not understand: what happened since can only be seen by a list.
    // Any other failure keeps the resourceVersion, so that a server in trouble does not get a list from
    // everyone.
    const Error& error = watch.error();
    if (!IsExpired(error) && error.code != ReasonCode::kRequestMalformed) return error;
    resource_version_.clear();
    return progressed_ ? Result<>(Done{}) : error;
  }
  if (!progressed_ && clock_.Steady() - started < kShortWatch && !stop)
    return Error{ReasonCode::kUnreachable, "the watch ended at once"};
  return Done{};
}

Result<> Informer::Relist() {
  std::string resource_version;
  Objects objects = TRY(ListAll(resource_version));
  ReplaceAll(std::move(objects));
  resource_version_ = std::move(resource_version);
  synced_ = true;
  return Done{};
}

Result<Informer::Objects> Informer::ListAll(std::string& resource_version) {
  Objects objects;
  std::string continue_token;
  // Anyone's large objects must not blind us for all the others: what a page can't hold, smaller ones can.
  int page_size = kPageSize;
  for (int listed = 0; listed < kMaxObjects;) {
    std::vector<std::pair<std::string, std::string>> query{{"limit", std::to_string(page_size)}};
    if (!options_.label_selector.empty()) query.emplace_back("labelSelector", options_.label_selector);
    if (!continue_token.empty()) query.emplace_back("continue", continue_token);
    auto answer = api_.List(resource_, options_.namespace_name, query);
    if (!answer && IsTooLarge(answer.error()) && page_size > 1) {
      page_size /= 2;
      continue;
    }
    ListPage page = TRY(std::move(answer));
    listed += std::max(1, static_cast<int>(page.items.size()));
    for (codec::Json& item : page.items) {
      ObjectKey key = KeyOf(item);
      objects[std::move(key)] = Trimmed(std::move(item));
    }
    resource_version = std::move(page.resource_version);
    continue_token = std::move(page.continue_token);
    if (continue_token.empty()) return objects;
  }
  return Error{ReasonCode::kUnreachable, "the list does not end"};
}

Result<> Informer::WatchOnce(const std::atomic<bool>& stop) {
  // Spread, so that the watches of all informers do not end in the same second.
  const auto spread = static_cast<double>((kMaxWatch - kMinWatch).count());
  const auto timeout = kMinWatch.count() + static_cast<std::int64_t>(spread * jitter_());
  std::vector<std::pair<std::string, std::string>> query{{"timeoutSeconds", std::to_string(timeout)}};
  if (!options_.label_selector.empty()) query.emplace_back("labelSelector", options_.label_selector);
  TRY(api_.Watch(
      resource_, options_.namespace_name, query, resource_version_,
      [&](std::string_view type, const codec::Json& object) {
        progressed_ = true;
        return Apply(type, object) && !stop;
      },
      stop));
  return Done{};
}

bool Informer::Apply(std::string_view type, const codec::Json& object) {
  const std::string_view version = ResourceVersionOf(object);
  if (!version.empty()) resource_version_ = version;
  if (type == "BOOKMARK") return true;

  const ObjectKey key = KeyOf(object);
  bool changed = true;
  {
    auto kept = type == "DELETED" ? nullptr : Trimmed(object);
    const std::lock_guard lock(mutex_);
    if (kept == nullptr) {
      changed = objects_.erase(key) > 0;
    } else {
      auto& slot = objects_[key];
      changed = slot == nullptr || ResourceVersionOf(*slot) != version;
      slot = std::move(kept);
    }
  }
  if (changed) on_change_(key);
  return true;
}

void Informer::ReplaceAll(Objects objects) {
  std::vector<ObjectKey> changed;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, object] : objects_)
      if (!objects.contains(key)) changed.push_back(key);  // vanished while nobody watched
    for (const auto& [key, object] : objects) {
      const auto before = objects_.find(key);
      if (before == objects_.end() || ResourceVersionOf(*before->second) != ResourceVersionOf(*object))
        changed.push_back(key);
    }
    objects_ = std::move(objects);
  }
  for (const ObjectKey& key : changed) on_change_(key);
}

std::shared_ptr<const codec::Json> Informer::Trimmed(codec::Json object) const {
  if (options_.trim) {
    options_.trim(object);
  } else {
    DropManagedFields(object);
  }
  return std::make_shared<const codec::Json>(std::move(object));
}

}  // namespace portcullis::kube

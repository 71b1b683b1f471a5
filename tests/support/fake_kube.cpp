#include "tests/support/fake_kube.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "tests/support/json_patch.h"

namespace portcullis::test {
namespace {

using kube::ObjectKey;
using kube::Resource;

constexpr std::array<std::string_view, 4> kWithStatus{"pods", "modelkeys", "releasepolicies", "keyreleases"};
constexpr auto kPoll = std::chrono::milliseconds(2);  // `stop` of a watch is looked at so often
constexpr auto kPatience = std::chrono::seconds(10);

bool HasStatus(std::string_view plural) {
  return std::ranges::find(kWithStatus, plural) != kWithStatus.end();
}

std::string ParameterOf(const FakeKube::Query& query, std::string_view name) {
  for (const auto& [key, value] : query)
    if (key == name) return value;
  return "";
}

std::uint64_t NumberFrom(const std::string& text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

ObjectKey KeyIn(const codec::Json& object) {
  return {std::string(object.TextAt({"metadata", "namespace"})),
          std::string(object.TextAt({"metadata", "name"}))};
}

void SetMetadata(codec::Json& object, std::string_view name, codec::Json value) {
  object.Member("metadata").Set(name, std::move(value));
}

void CopyMember(codec::Json& to, const codec::Json* from, std::string_view name) {
  const codec::Json* value = from == nullptr ? nullptr : from->Find(name);
  if (value != nullptr) {
    to.Set(name, *value);
  } else {
    to.Erase(name);
  }
}

Error NotFound() { return {ReasonCode::kNotFound, "no such object"}; }
Error Conflict() { return {ReasonCode::kConflict, "the object was changed by someone else", "Conflict"}; }
Error Expired() { return {ReasonCode::kNotFound, "the resourceVersion is too old", "Expired"}; }

bool SelectsOne(std::string_view term, const codec::Json& object) {
  const auto label = [&](std::string_view name) -> const std::string* {
    const codec::Json* value = object.At({"metadata", "labels", name});
    return value == nullptr ? nullptr : value->if_string();
  };
  if (term.starts_with('!')) return label(term.substr(1)) == nullptr;
  const std::size_t equals = term.find('=');
  if (equals == std::string_view::npos) return label(term) != nullptr;
  const bool differs = equals > 0 && term[equals - 1] == '!';
  const std::string* value = label(term.substr(0, differs ? equals - 1 : equals));
  std::string_view wanted = term.substr(equals + 1);
  if (wanted.starts_with('=')) wanted.remove_prefix(1);
  return (value != nullptr && *value == wanted) != differs;
}

}  // namespace

bool Selects(const std::string& selector, const codec::Json& object) {
  std::string_view rest = selector;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    if (!SelectsOne(rest.substr(0, end), object)) return false;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return true;
}

struct FakeKube::WatchState {
  const Resource& resource;
  std::string namespace_name;
  std::string selector;
  std::uint64_t version;
  std::uint64_t bookmarks;
  std::uint64_t ended_watches;

  bool Sees(const std::optional<codec::Json>& object) const {
    return object && Selects(selector, *object) &&
           (namespace_name.empty() || object->TextAt({"metadata", "namespace"}) == namespace_name);
  }
};

template <typename T, typename Effect>
Result<T> FakeKube::Answer(Call call, Effect&& effect) {
  const std::lock_guard lock(mutex_);
  calls_.push_back(call);
  changed_.notify_all();
  if (const auto failure = TakeFailureLocked(call, false)) return failure->error;
  Result<T> answer = effect();
  if (const auto failure = TakeFailureLocked(call, true)) return failure->error;
  return answer;
}

std::optional<FakeKube::Failure> FakeKube::TakeFailureLocked(const Call& call, bool after_effect) {
  for (auto failure = failures_.begin(); failure != failures_.end(); ++failure) {
    if (failure->verb != call.verb || failure->plural != call.plural || failure->after_effect != after_effect)
      continue;
    Failure taken = *failure;
    if (--failure->times <= 0) failures_.erase(failure);
    return taken;
  }
  return std::nullopt;
}

Result<codec::Json> FakeKube::Get(const Resource& resource, const ObjectKey& key) {
  return Answer<codec::Json>({"get", std::string(resource.plural), key, ""}, [&]() -> Result<codec::Json> {
    const Objects& objects = ObjectsOf(resource.plural);
    const auto found = objects.find(key);
    return found == objects.end() ? Result<codec::Json>(NotFound()) : found->second;
  });
}

Result<kube::ListPage> FakeKube::List(const Resource& resource, const std::string& namespace_name,
                                      const Query& query) {
  return Answer<kube::ListPage>(
      {"list", std::string(resource.plural), {namespace_name, ""}, ""},
      [&]() -> Result<kube::ListPage> { return PageLocked(resource, namespace_name, query); });
}

Result<codec::Json> FakeKube::Create(const Resource& resource, const std::string& namespace_name,
                                     const codec::Json& object) {
  const ObjectKey key{namespace_name, std::string(object.TextAt({"metadata", "name"}))};
  return Answer<codec::Json>({"create", std::string(resource.plural), key, ""},
                             [&] { return CreateLocked(resource, key, object); });
}

Result<codec::Json> FakeKube::Replace(const Resource& resource, const ObjectKey& key,
                                      const codec::Json& object) {
  return Answer<codec::Json>({"update", std::string(resource.plural), key, ""},
                             [&] { return UpdateLocked(resource, key, "", object); });
}

Result<codec::Json> FakeKube::Patch(const Resource& resource, const ObjectKey& key,
                                    std::string_view subresource, kube::PatchType type,
                                    const codec::Json& patch) {
  return Answer<codec::Json>({"patch", std::string(resource.plural), key, std::string(subresource)},
                             [&] { return PatchLocked(resource, key, subresource, type, patch); });
}

Result<> FakeKube::Delete(const Resource& resource, const ObjectKey& key, const std::string& uid) {
  return Answer<Done>({"delete", std::string(resource.plural), key, ""}, [&]() -> Result<> {
    const Objects& objects = ObjectsOf(resource.plural);
    const auto found = objects.find(key);
    if (found == objects.end()) return NotFound();
    if (!uid.empty() && found->second.TextAt({"metadata", "uid"}) != uid) return Conflict();
    RemoveLocked(resource.plural, key);
    return Done{};
  });
}

Result<std::string> FakeKube::Watch(const Resource& resource, const std::string& namespace_name,
                                    const Query& query, const std::string& resource_version,
                                    const std::function<bool(std::string_view, const codec::Json&)>& on_event,
                                    const std::atomic<bool>& stop) {
  std::unique_lock lock(mutex_);
  const Call call{"watch", std::string(resource.plural), {namespace_name, ""}, ""};
  calls_.push_back(call);
  changed_.notify_all();
  if (const auto failure = TakeFailureLocked(call, false)) return failure->error;
  WatchState state{
      resource,   namespace_name, ParameterOf(query, "labelSelector"), NumberFrom(resource_version),
      bookmarks_, ended_watches_};
  while (!stop && state.ended_watches == ended_watches_) {
    const auto events = TRY(NewEventsLocked(state));
    lock.unlock();
    for (const auto& [type, object] : events)
      if (!on_event(type, object)) return std::to_string(state.version);
    lock.lock();
    if (events.empty()) changed_.wait_for(lock, kPoll);
  }
  return std::to_string(state.version);
}

Result<std::vector<std::pair<std::string, codec::Json>>> FakeKube::NewEventsLocked(WatchState& state) {
  if (state.version < compacted_) return Expired();
  std::vector<std::pair<std::string, codec::Json>> events;
  for (const Change& change : changes_) {
    if (change.version <= state.version || change.plural != state.resource.plural) continue;
    const bool saw = state.Sees(change.before), sees = state.Sees(change.after);
    if (!saw && !sees) continue;
    codec::Json object = sees || change.after ? *change.after : *change.before;
    SetMetadata(object, "resourceVersion", std::to_string(change.version));
    events.emplace_back(!saw ? "ADDED" : sees ? "MODIFIED" : "DELETED", std::move(object));
  }
  state.version = version_;
  if (state.bookmarks != bookmarks_) {
    state.bookmarks = bookmarks_;
    codec::Json object = codec::Json::Object({{"kind", state.resource.kind}});
    SetMetadata(object, "resourceVersion", std::to_string(version_));
    events.emplace_back("BOOKMARK", std::move(object));
  }
  return events;
}

kube::ListPage FakeKube::PageLocked(const Resource& resource, const std::string& namespace_name,
                                    const Query& query) {
  const std::string selector = ParameterOf(query, "labelSelector"), from = ParameterOf(query, "continue");
  const std::size_t slash = from.find('/');
  const ObjectKey after = slash == std::string::npos
                              ? ObjectKey{"", from}
                              : ObjectKey{from.substr(0, slash), from.substr(slash + 1)};
  const std::uint64_t limit = NumberFrom(ParameterOf(query, "limit"));
  kube::ListPage page;
  page.resource_version = std::to_string(version_);
  for (const auto& [key, object] : ObjectsOf(resource.plural)) {
    if (!namespace_name.empty() && key.namespace_name != namespace_name) continue;
    if ((!from.empty() && key <= after) || !Selects(selector, object)) continue;
    if (limit > 0 && page.items.size() == limit) {
      page.continue_token = KeyIn(page.items.back()).ToString();
      break;
    }
    page.items.push_back(object);
  }
  return page;
}

codec::Json FakeKube::StoreLocked(const Resource& resource, const ObjectKey& key, codec::Json object) {
  Objects& objects = ObjectsOf(resource.plural);
  const auto found = objects.find(key);
  Change change{++version_, std::string(resource.plural), key, std::nullopt, std::nullopt};
  if (found != objects.end()) change.before = found->second;
  SetMetadata(object, "resourceVersion", std::to_string(version_));
  change.after = object;
  changes_.push_back(std::move(change));
  objects[key] = object;
  changed_.notify_all();
  return object;
}

Result<codec::Json> FakeKube::CreateLocked(const Resource& resource, const ObjectKey& key,
                                           codec::Json object) {
  if (key.name.empty()) return Error{ReasonCode::kRequestMalformed, "an object needs a name"};
  if (ObjectsOf(resource.plural).contains(key))
    return Error{ReasonCode::kConflict, "an object of this name exists", "AlreadyExists"};
  if (HasStatus(resource.plural)) object.Erase("status");
  if (!key.namespace_name.empty()) SetMetadata(object, "namespace", key.namespace_name);
  char uid[40];
  std::snprintf(uid, sizeof uid, "00000000-0000-4000-8000-%012llu",
                static_cast<unsigned long long>(next_uid_++));
  SetMetadata(object, "uid", uid);
  SetMetadata(object, "generation", 1);
  SetMetadata(object, "creationTimestamp", "2026-11-24T21:53:00Z");
  return StoreLocked(resource, key, std::move(object));
}

Result<codec::Json> FakeKube::UpdateLocked(const Resource& resource, const ObjectKey& key,
                                           std::string_view subresource, codec::Json object) {
  const Objects& objects = ObjectsOf(resource.plural);
  const auto found = objects.find(key);
  if (found == objects.end()) return NotFound();
  const codec::Json& before = found->second;
  const std::string_view version = object.TextAt({"metadata", "resourceVersion"});
  if (!version.empty() && version != before.TextAt({"metadata", "resourceVersion"})) return Conflict();
  const std::string_view uid = object.TextAt({"metadata", "uid"});
  if (!uid.empty() && uid != before.TextAt({"metadata", "uid"})) return Conflict();

  if (subresource == "status") {
    codec::Json next = before;
    CopyMember(next, &object, "status");
    object = std::move(next);
  } else if (HasStatus(resource.plural)) {
    CopyMember(object, &before, "status");
  }
  for (const std::string_view kept :
       {"namespace", "name", "uid", "generation", "creationTimestamp", "resourceVersion"})
    CopyMember(object.Member("metadata"), before.Find("metadata"), kept);
  if (object == before) return before;  // as the API server: no change, no new version
  const codec::Json *spec = object.Find("spec"), *spec_before = before.Find("spec");
  if (spec != nullptr && (spec_before == nullptr || *spec != *spec_before))
    SetMetadata(object, "generation", before.At({"metadata", "generation"})->if_int64().value_or(0) + 1);
  return StoreLocked(resource, key, std::move(object));
}

Result<codec::Json> FakeKube::PatchLocked(const Resource& resource, const ObjectKey& key,
                                          std::string_view subresource, kube::PatchType type,
                                          const codec::Json& patch) {
  const Objects& objects = ObjectsOf(resource.plural);
  const auto found = objects.find(key);
  if (found == objects.end())
    return type == kube::PatchType::kApply ? CreateLocked(resource, key, patch) : NotFound();
  codec::Json object = found->second;
  if (type == kube::PatchType::kJson) {
    TRY(ApplyJsonPatch(object, patch));
  } else {
    ApplyMergePatch(object, patch);
  }
  return UpdateLocked(resource, key, subresource, std::move(object));
}

void FakeKube::RemoveLocked(std::string_view plural, const ObjectKey& key) {
  Objects& objects = ObjectsOf(plural);
  const auto found = objects.find(key);
  if (found == objects.end()) return;
  changes_.push_back({++version_, std::string(plural), key, found->second, std::nullopt});
  objects.erase(found);
  changed_.notify_all();
}

codec::Json FakeKube::Put(const Resource& resource, codec::Json object) {
  const std::lock_guard lock(mutex_);
  const ObjectKey key = KeyIn(object);
  const std::optional<codec::Json> status =
      object.Find("status") == nullptr ? std::nullopt : std::optional(*object.Find("status"));
  codec::Json stored = object;
  stored.Member("metadata").Erase("resourceVersion");
  auto written = ObjectsOf(resource.plural).contains(key) ? UpdateLocked(resource, key, "", std::move(stored))
                                                          : CreateLocked(resource, key, std::move(stored));
  codec::Json result = std::move(written).value();
  if (!status || !HasStatus(resource.plural)) return result;
  result.Set("status", *status);
  return UpdateLocked(resource, key, "status", std::move(result)).value();
}

void FakeKube::Remove(const Resource& resource, const ObjectKey& key) {
  const std::lock_guard lock(mutex_);
  RemoveLocked(resource.plural, key);
}

std::optional<codec::Json> FakeKube::Peek(const Resource& resource, const ObjectKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto kind = objects_.find(std::string(resource.plural));
  if (kind == objects_.end()) return std::nullopt;
  const auto found = kind->second.find(key);
  return found == kind->second.end() ? std::nullopt : std::optional(found->second);
}

std::vector<codec::Json> FakeKube::All(const Resource& resource) const {
  const std::lock_guard lock(mutex_);
  std::vector<codec::Json> all;
  if (const auto kind = objects_.find(std::string(resource.plural)); kind != objects_.end())
    for (const auto& [key, object] : kind->second) all.push_back(object);
  return all;
}

void FakeKube::CollectGarbage() {
  const std::lock_guard lock(mutex_);
  while (CollectOneLocked()) continue;
}

bool FakeKube::CollectOneLocked() {
  std::set<std::string> alive;
  for (const auto& [plural, objects] : objects_)
    for (const auto& [key, object] : objects) alive.emplace(object.TextAt({"metadata", "uid"}));
  for (const auto& [plural, objects] : objects_) {
    for (const auto& [key, object] : objects) {
      const codec::Json* owners = object.At({"metadata", "ownerReferences"});
      const codec::JsonArray* all = owners == nullptr ? nullptr : owners->if_array();
      if (all == nullptr || all->empty()) continue;
      if (std::ranges::any_of(
              *all, [&](const auto& owner) { return alive.contains(std::string(owner.TextAt({"uid"}))); }))
        continue;
      const ObjectKey orphan = key;
      RemoveLocked(plural, orphan);
      return true;
    }
  }
  return false;
}

void FakeKube::FailNext(std::string verb, std::string plural, Error error, int times) {
  const std::lock_guard lock(mutex_);
  failures_.push_back({std::move(verb), std::move(plural), std::move(error), times, false});
}

void FakeKube::StopFailing() {
  const std::lock_guard lock(mutex_);
  failures_.clear();
}

void FakeKube::LoseAnswer(std::string verb, std::string plural) {
  const std::lock_guard lock(mutex_);
  failures_.push_back({std::move(verb), std::move(plural),
                       Error{ReasonCode::kUnreachable, "the connection was cut"}, 1, true});
}

void FakeKube::Compact() {
  const std::lock_guard lock(mutex_);
  compacted_ = ++version_;
  changes_.clear();
  changed_.notify_all();
}

void FakeKube::SendBookmarks() {
  const std::lock_guard lock(mutex_);
  ++bookmarks_;
  changed_.notify_all();
}

void FakeKube::EndWatches() {
  const std::lock_guard lock(mutex_);
  ++ended_watches_;
  changed_.notify_all();
}

std::vector<FakeKube::Call> FakeKube::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

std::size_t FakeKube::CountCalls(std::string_view verb, std::string_view plural) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::ranges::count_if(
      calls_, [&](const Call& call) { return call.verb == verb && call.plural == plural; }));
}

void FakeKube::ForgetCalls() {
  const std::lock_guard lock(mutex_);
  calls_.clear();
}

bool FakeKube::WaitUntil(const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPoll);
  }
  return true;
}

std::string FakeKube::resource_version() const {
  const std::lock_guard lock(mutex_);
  return std::to_string(version_);
}

}  // namespace portcullis::test

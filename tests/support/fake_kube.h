#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "kube/kube.h"

namespace portcullis::test {

/// An API server in memory: resourceVersions, optimistic concurrency, AlreadyExists, merge and JSON patch,
/// the status subresource, label selectors, pages, watches with bookmarks, and failures on order. It admits
/// everything and knows no schema; the real API server in tests/controlplane does. Thread-safe.
class FakeKube final : public kube::Api {
 public:
  using Query = std::vector<std::pair<std::string, std::string>>;
  struct Call {
    std::string verb;  // get list watch create update patch delete
    std::string plural;
    kube::ObjectKey key;
    std::string subresource;
    bool operator==(const Call&) const = default;
  };

  Result<codec::Json> Get(const kube::Resource& resource, const kube::ObjectKey& key) override;
  Result<kube::ListPage> List(const kube::Resource& resource, const std::string& namespace_name,
                              const Query& query) override;
  Result<codec::Json> Create(const kube::Resource& resource, const std::string& namespace_name,
                             const codec::Json& object) override;
  Result<codec::Json> Replace(const kube::Resource& resource, const kube::ObjectKey& key,
                              const codec::Json& object) override;
  Result<codec::Json> Patch(const kube::Resource& resource, const kube::ObjectKey& key,
                            std::string_view subresource, kube::PatchType type,
                            const codec::Json& patch) override;
  Result<> Delete(const kube::Resource& resource, const kube::ObjectKey& key,
                  const std::string& uid) override;
  Result<std::string> Watch(const kube::Resource& resource, const std::string& namespace_name,
                            const Query& query, const std::string& resource_version,
                            const std::function<bool(std::string_view, const codec::Json&)>& on_event,
                            const std::atomic<bool>& stop) override;

  // What a test does behind the back of the code under test: never fails, is not recorded as a call.
  /// Creates or replaces, status included; returns what is stored.
  codec::Json Put(const kube::Resource& resource, codec::Json object);
  void Remove(const kube::Resource& resource, const kube::ObjectKey& key);
  std::optional<codec::Json> Peek(const kube::Resource& resource, const kube::ObjectKey& key) const;
  std::vector<codec::Json> All(const kube::Resource& resource) const;
  /// Deletes whatever has ownerReferences and no living owner, until nothing more goes.
  void CollectGarbage();

  /// The next `times` calls of `verb` on `plural` fail and have no effect.
  void FailNext(std::string verb, std::string plural, Error error, int times = 1);
  /// Takes back all failures that have not happened yet.
  void StopFailing();
  /// The next such call takes effect, but its answer is lost (Unreachable).
  void LoseAnswer(std::string verb, std::string plural);
  /// Forgets all changes: a watch from an older resourceVersion gets 410, also one that is under way and
  /// behind.
  void Compact();
  /// Sends a bookmark with the current resourceVersion to every watch.
  void SendBookmarks();
  /// Ends every watch, as the server does when their time is over.
  void EndWatches();

  std::vector<Call> calls() const;
  std::size_t CountCalls(std::string_view verb, std::string_view plural) const;
  void ForgetCalls();
  /// Waits (10 s at most) until `holds`, looked at after every call and change.
  bool WaitUntil(const std::function<bool()>& holds);
  std::string resource_version() const;

 private:
  using Objects = std::map<kube::ObjectKey, codec::Json>;
  struct Change {
    std::uint64_t version;
    std::string plural;
    kube::ObjectKey key;
    std::optional<codec::Json> before, after;
  };
  struct Failure {
    std::string verb, plural;
    Error error;
    int times;
    bool after_effect;
  };
  struct WatchState;

  template <typename T, typename Effect>
  Result<T> Answer(Call call, Effect&& effect);
  std::optional<Failure> TakeFailureLocked(const Call& call, bool after_effect);
  Objects& ObjectsOf(std::string_view plural) { return objects_[std::string(plural)]; }
  codec::Json StoreLocked(const kube::Resource& resource, const kube::ObjectKey& key, codec::Json object);
  Result<codec::Json> CreateLocked(const kube::Resource& resource, const kube::ObjectKey& key,
                                   codec::Json object);
  Result<codec::Json> UpdateLocked(const kube::Resource& resource, const kube::ObjectKey& key,
                                   std::string_view subresource, codec::Json object);
  Result<codec::Json> PatchLocked(const kube::Resource& resource, const kube::ObjectKey& key,
                                  std::string_view subresource, kube::PatchType type,
                                  const codec::Json& patch);
  void RemoveLocked(std::string_view plural, const kube::ObjectKey& key);
  bool CollectOneLocked();
  kube::ListPage PageLocked(const kube::Resource& resource, const std::string& namespace_name,
                            const Query& query);
  Result<std::vector<std::pair<std::string, codec::Json>>> NewEventsLocked(WatchState& state);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t version_ = 1000;
  std::uint64_t compacted_ = 0;  // changes up to this one are forgotten
  std::uint64_t next_uid_ = 1;
  std::uint64_t bookmarks_ = 0;
  std::uint64_t ended_watches_ = 0;
  std::map<std::string, Objects> objects_;
  std::vector<Change> changes_;
  std::vector<Failure> failures_;
  std::vector<Call> calls_;
};

/// Whether `object` has the labels that a selector asks for: "a=b", "a==b", "a!=b", "a", "!a", joined by
/// commas.
bool Selects(const std::string& selector, const codec::Json& object);

}  // namespace portcullis::test

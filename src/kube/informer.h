#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "kube/backoff.h"
#include "kube/kube.h"

namespace portcullis::kube {

/// A local copy of all objects of one kind that a selector picks, kept by list and watch. It tells which
/// object changed and decides nothing. The copy may be stale: writes carry a resourceVersion, and what can't
/// be undone reads the object again. Find, Keys and synced are thread-safe.
class Informer {
 public:
  struct Options {
    std::string namespace_name = {};  // "" for all
    std::string label_selector = {};
    /// Makes an object smaller before it is kept; by default metadata.managedFields goes.
    std::function<void(codec::Json&)> trim = {};
  };
  using OnChange = std::function<void(const ObjectKey&)>;

  /// `on_change` is called on the thread of Run, without locks held, after the copy has changed.
  Informer(Api& api, const Resource& resource, Options options, OnChange on_change, const Clock& clock,
           Wait wait = WaitUnlessStopped, Jitter jitter = RandomFraction);
  Informer(Api& api, const Resource& resource, std::string namespace_name, std::string label_selector,
           OnChange on_change);

  /// The object, shared and never changed; nullptr where there is none.
  std::shared_ptr<const codec::Json> Find(const ObjectKey& key) const;
  std::vector<ObjectKey> Keys() const;
  /// True once a first list is in the copy.
  bool synced() const { return synced_; }

  /// Lists and watches until `stop` is set; give it a thread of its own.
  void Run(const std::atomic<bool>& stop);

 private:
  using Objects = std::map<ObjectKey, std::shared_ptr<const codec::Json>>;

  /// One list, where it is due, and one watch. Error where the next round has to wait.
  Result<> Round(const std::atomic<bool>& stop);
  Result<> Relist();
  Result<Objects> ListAll(std::string& resource_version);
  Result<> WatchOnce(const std::atomic<bool>& stop);
  bool Apply(std::string_view type, const codec::Json& object);
  void ReplaceAll(Objects objects);
  std::shared_ptr<const codec::Json> Trimmed(codec::Json object) const;

  Api& api_;
  const Resource resource_;
  const Options options_;
  const OnChange on_change_;
  const Clock& clock_;
  const Wait wait_;
  const Jitter jitter_;

  mutable std::mutex mutex_;
  Objects objects_;
  std::atomic<bool> synced_{false};
  // Only the thread of Run touches these.
  std::string resource_version_;  // "" where a list is due
  bool progressed_ = false;       // the last watch brought something
};

}  // namespace portcullis::kube

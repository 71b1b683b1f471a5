#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <tuple>

#include "base/clock.h"

namespace portcullis::kube {

/// A map that forgets the entry that was not used for longest when it is full.
template <typename Key, typename Value>
class RecentMap {
 public:
  explicit RecentMap(std::size_t limit) : limit_(limit) {}

  /// The value of `key`, made by default where it is new.
  Value& Use(const Key& key, SteadyTime now) {
    if (!entries_.contains(key) && entries_.size() >= limit_)
      entries_.erase(std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
        return a.second.used < b.second.used;
      }));
    Entry& entry = entries_[key];
    entry.used = now;
    return entry.value;
  }
  void Erase(const Key& key) { entries_.erase(key); }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Value value{};
    SteadyTime used{};
  };
  const std::size_t limit_;
  std::map<Key, Entry> entries_;
};

/// Permission for `burst` at once and one more each `refill`.
class TokenBucket {
 public:
  struct Rate {
    double burst;
    std::chrono::milliseconds refill;
  };
  bool Has(const Rate& rate, SteadyTime now);
  /// Only after Has.
  void Take() { tokens_ -= 1.0; }

 private:
  double tokens_ = -1.0;  // not yet filled
  SteadyTime filled_at_{};
};

/// Keeps Events from flooding the API server: what repeats becomes a series that is written at 2, 4, 8 ...
/// repeats, and each object, and all together, may write only so often. Pure but for what it remembers; for
/// one thread.
class EventPace {
 public:
  struct SeriesKey {
    std::string uid, reason, action, code;
    auto operator<=>(const SeriesKey&) const = default;
  };
  enum class Step : std::uint8_t { kCreate, kUpdate, kCountOnly, kOverBudget };
  struct Plan {
    Step step;
    std::int64_t count;  // how often it was seen, this time included
  };

  /// What to do about one more occurrence.
  Plan Next(const SeriesKey& key, SteadyTime now);
  /// The name of the Event that was written for `key`, for updates of it.
  void SetEventName(const SeriesKey& key, std::string name, SteadyTime now) {
    series_.Use(key, now).name = name;
  }
  std::string EventName(const SeriesKey& key, SteadyTime now) { return series_.Use(key, now).name; }
  /// The Event is not there (never written, or past its time): the next occurrence creates one.
  void Forget(const SeriesKey& key) { series_.Erase(key); }

 private:
  struct Series {
    std::string name;
    std::int64_t count = 0;
    SteadyTime last{};
  };
  bool TakeBudget(const std::string& uid, SteadyTime now);

  static constexpr std::size_t kMaxRemembered = 4096;
  RecentMap<SeriesKey, Series> series_{kMaxRemembered};
  RecentMap<std::string, TokenBucket> objects_{kMaxRemembered};
  TokenBucket all_;
};

}  // namespace portcullis::kube

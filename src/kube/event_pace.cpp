#include "kube/event_pace.h"

#include <bit>

namespace portcullis::kube {
namespace {

using namespace std::chrono_literals;

constexpr auto kSeriesGap = 6min;                    // client-go's: after it, a repeat is a new Event
constexpr TokenBucket::Rate kPerObject{25.0, 5min};  // client-go's
constexpr TokenBucket::Rate kTogether{100.0,
                                      100ms};  // ten a second: a share that an API server does not feel

}  // namespace

bool TokenBucket::Has(const Rate& rate, SteadyTime now) {
  if (tokens_ < 0.0) {
    tokens_ = rate.burst;
  } else {
    const std::chrono::duration<double, std::milli> passed = now - filled_at_;
    tokens_ = std::min(rate.burst, tokens_ + passed.count() / static_cast<double>(rate.refill.count()));
  }
  filled_at_ = now;
  return tokens_ >= 1.0;
}

EventPace::Plan EventPace::Next(const SeriesKey& key, SteadyTime now) {
  Series& series = series_.Use(key, now);
  if (series.count > 0 && now - series.last >= kSeriesGap) series = Series{};
  series.last = now;
  ++series.count;
  const std::int64_t count = series.count;
  // Where the first one was over budget there is no Event to count up yet.
  const bool create = series.name.empty();
  if (!create && !std::has_single_bit(static_cast<std::uint64_t>(count))) return {Step::kCountOnly, count};
  if (!TakeBudget(key.uid, now)) return {Step::kOverBudget, count};
  return {create ? Step::kCreate : Step::kUpdate, count};
}

bool EventPace::TakeBudget(const std::string& uid, SteadyTime now) {
  if (!all_.Has(kTogether, now)) return false;
  TokenBucket& object = objects_.Use(uid, now);
  if (!object.Has(kPerObject, now)) return false;
  object.Take();
  all_.Take();
  return true;
}

}  // namespace portcullis::kube

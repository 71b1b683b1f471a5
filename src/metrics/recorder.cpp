#include "metrics/recorder.h"

#include <algorithm>
#include <mutex>
#include <type_traits>

namespace portcullis::metrics {
namespace {

/// Label values in the order in which std::map keeps its keys, without making strings.
bool Same(const std::array<std::string, kMaxLabels>& key, const LabelValues& values) {
  return std::equal(key.begin(), key.end(), values.begin());
}

struct ByValues {
  const LabelValues& values;
  friend bool operator<(const std::array<std::string, kMaxLabels>& key, const ByValues& wanted) {
    return std::lexicographical_compare(key.begin(), key.end(), wanted.values.begin(), wanted.values.end());
  }
  friend bool operator<(const ByValues& wanted, const std::array<std::string, kMaxLabels>& key) {
    return std::lexicographical_compare(wanted.values.begin(), wanted.values.end(), key.begin(), key.end());
  }
};

}  // namespace

template <typename T>
T& Series<T>::At(const LabelValues& values) {
  {
    const std::shared_lock lock(mutex_);
    const auto found = known_.find(ByValues{values});
    if (found != known_.end() && Same(found->first, values)) return *found->second;
  }
  const std::unique_lock lock(mutex_);
  return Make(values);
}

template <typename T>
T& Series<T>::Make(const LabelValues& values) {
  std::array<std::string, kMaxLabels> key;
  prometheus::Labels labels;
  for (std::size_t i = 0; i < kMaxLabels && !declaration_.labels[i].empty(); ++i) {
    key[i] = known_.size() < kMaxSeriesPerFamily ? values[i] : kOtherValue;
    labels[std::string(declaration_.labels[i])] = key[i];
  }
  T*& series = known_[key];
  if (series == nullptr) {
    if constexpr (std::is_same_v<T, prometheus::Histogram>)
      series = &family_.Add(labels, prometheus::Histogram::BucketBoundaries(declaration_.buckets.begin(),
                                                                            declaration_.buckets.end()));
    else
      series = &family_.Add(labels);
  }
  return *series;
}

template class Series<prometheus::Counter>;
template class Series<prometheus::Gauge>;
template class Series<prometheus::Histogram>;

Recorder::Recorder(Components components) {
  for (const Declaration& row : Declarations()) {
    if (row.components != kEvery && (row.components & components) == 0) continue;
    Slot& slot = slots_[static_cast<std::size_t>(row.id)];
    const bool unlabelled = row.labels[0].empty();
    switch (row.kind) {
      case Kind::kCounter:
        slot.counter = std::make_unique<Series<prometheus::Counter>>(row);
        // A counter that appears only with its first event hides that event from rate(): show zero from the
        // start.
        if (unlabelled) slot.counter->At({});
        break;
      case Kind::kGauge:
        slot.gauge = std::make_unique<Series<prometheus::Gauge>>(row);
        break;
      case Kind::kHistogram:
        slot.histogram = std::make_unique<Series<prometheus::Histogram>>(row);
        if (unlabelled) slot.histogram->At({});
        break;
    }
  }
}

void Recorder::Count(FamilyId id, const LabelValues& labels) {
  if (const auto& counter = slots_[static_cast<std::size_t>(id)].counter) counter->At(labels).Increment();
}

void Recorder::Set(FamilyId id, const LabelValues& labels, double value) {
  if (const auto& gauge = slots_[static_cast<std::size_t>(id)].gauge) gauge->At(labels).Set(value);
}

void Recorder::Observe(FamilyId id, const LabelValues& labels, double seconds) {
  if (const auto& histogram = slots_[static_cast<std::size_t>(id)].histogram)
    histogram->At(labels).Observe(seconds);
}

std::vector<prometheus::MetricFamily> Recorder::Collect() const {
  std::vector<prometheus::MetricFamily> all;
  const auto append = [&all](const auto& series) {
    if (series == nullptr) return;
    for (auto& family : series->Collect()) all.push_back(std::move(family));
  };
  for (const Slot& slot : slots_) {
    append(slot.counter);
    append(slot.gauge);
    append(slot.histogram);
  }
  return all;
}

}  // namespace portcullis::metrics

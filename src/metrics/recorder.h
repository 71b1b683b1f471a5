#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <array>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/declaration.h"

namespace portcullis::metrics {

using LabelValues = std::array<std::string_view, kMaxLabels>;

/// More series than this in one family would mean that a label is no closed enum after all. What comes later
/// is counted under kOtherValue, so that nobody's input can grow the exposition.
inline constexpr std::size_t kMaxSeriesPerFamily = 300;
inline constexpr std::string_view kOtherValue = "other";

/// The series of one family by their label values. Looking one up again takes a shared lock and no
/// allocation. Thread-safe; a series lives as long as this.
template <typename T>
class Series {
 public:
  explicit Series(const Declaration& declaration)
      : declaration_(declaration),
        family_(std::string(declaration.name), std::string(declaration.help), {}) {}

  T& At(const LabelValues& values);
  std::vector<prometheus::MetricFamily> Collect() const { return family_.Collect(); }

 private:
  T& Make(const LabelValues& values);

  const Declaration& declaration_;
  prometheus::Family<T> family_;
  std::shared_mutex mutex_;
  std::map<std::array<std::string, kMaxLabels>, T*, std::less<>> known_;
};

extern template class Series<prometheus::Counter>;
extern template class Series<prometheus::Gauge>;
extern template class Series<prometheus::Histogram>;

/// All families of one component. A call for a family that the component does not have is dropped.
class Recorder {
 public:
  explicit Recorder(Components components);

  void Count(FamilyId id, const LabelValues& labels = {});
  void Set(FamilyId id, const LabelValues& labels, double value);
  void Observe(FamilyId id, const LabelValues& labels, double seconds);

  /// In the order of the table; a family without series is left out.
  std::vector<prometheus::MetricFamily> Collect() const;

 private:
  struct Slot {
    std::unique_ptr<Series<prometheus::Counter>> counter;
    std::unique_ptr<Series<prometheus::Gauge>> gauge;
    std::unique_ptr<Series<prometheus::Histogram>> histogram;
  };
  std::array<Slot, kFamilyCount> slots_;
};

}  // namespace portcullis::metrics

#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "codec/json.h"

namespace portcullis::bench {

/// How long each of many runs of one thing took, in microseconds.
class Samples {
 public:
  void Add(double microseconds) { values_.push_back(microseconds); }
  /// The value that `fraction` of all runs stayed at or below; 0 where there are none.
  double Percentile(double fraction) const;
  double Mean() const;
  std::size_t size() const { return values_.size(); }

 private:
  std::vector<double> values_;
};

/// Runs `what` and returns its wall time in microseconds.
template <typename What>
double Timed(What&& what) {
  const auto started = std::chrono::steady_clock::now();
  what();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - started).count();
}

/// CPU time of the calling thread, and of all threads of a process that live, in microseconds.
double ThreadCpu();
double ProcessCpu(pid_t pid);
/// Resident memory of a process in MiB; 0 where it can't be read.
double ResidentMebibytes(pid_t pid);

/// One line of the result: what we do, beside the bare operations that it can't do without.
struct Line {
  std::string name, unit;
  double p50 = 0, p99 = 0;
  std::optional<double> bare_p50 = {}, bare_p99 = {};
  std::optional<double> ratio = {}, target = {};  // of the medians; at most
};
Line Compare(std::string name, const Samples& ours, const Samples& bare, std::optional<double> target);

codec::Json ToJson(const std::vector<Line>& lines);
/// A table for people, with a last line on the machine and its load.
std::string ToTable(const std::vector<Line>& lines);

}  // namespace portcullis::bench

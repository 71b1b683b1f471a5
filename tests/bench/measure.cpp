#include "tests/bench/measure.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <sstream>
#include <thread>

namespace portcullis::bench {
namespace {

using codec::Json;

std::string ReadProc(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string Fixed(double value) {
  char out[32];
  std::snprintf(out, sizeof out, value < 10 ? "%.2f" : "%.1f", value);
  return out;
}

std::string Fixed(const std::optional<double>& value) { return value ? Fixed(*value) : "-"; }

Json OrNull(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

std::string Processor() {
  std::istringstream text(ReadProc("/proc/cpuinfo"));
  for (std::string line; std::getline(text, line);)
    if (line.starts_with("model name")) return line.substr(line.find(": ") + 2);
  return "unknown processor";
}

std::string Load() {
  const std::string text = ReadProc("/proc/loadavg");
  return text.substr(0, text.find(' '));
}

}  // namespace

double Samples::Percentile(double fraction) const {
  if (values_.empty()) return 0;
  std::vector<double> sorted = values_;
  std::ranges::sort(sorted);
  const auto rank = static_cast<std::size_t>(std::ceil(fraction * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

double Samples::Mean() const {
  return values_.empty()
             ? 0
             : std::accumulate(values_.begin(), values_.end(), 0.0) / static_cast<double>(values_.size());
}

double ThreadCpu() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

double ProcessCpu(pid_t pid) {
  // schedstat counts nanoseconds for each thread; stat would count ticks.
  double nanoseconds = 0;
  std::error_code error;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", error)) {
    std::istringstream fields(ReadProc(task.path() / "schedstat"));
    double on_cpu = 0;
    fields >> on_cpu;
    nanoseconds += on_cpu;
  }
  return nanoseconds / 1000;
}

double ResidentMebibytes(pid_t pid) {
  std::istringstream fields(ReadProc("/proc/" + std::to_string(pid) + "/statm"));
  double total = 0, resident = 0;
  fields >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1024.0 * 1024.0);
}

Line Compare(std::string name, const Samples& ours, const Samples& bare, std::optional<double> target) {
  Line line{.name = std::move(name), .unit = "us", .p50 = ours.Percentile(0.5), .p99 = ours.Percentile(0.99)};
  line.bare_p50 = bare.Percentile(0.5);
  line.bare_p99 = bare.Percentile(0.99);
  if (*line.bare_p50 > 0) line.ratio = line.p50 / *line.bare_p50;
  line.target = target;
  return line;
}

Json ToJson(const std::vector<Line>& lines) {
  codec::JsonArray items;
  for (const Line& line : lines)
    items.push_back(Json::Object({{"name", line.name},
                                  {"unit", line.unit},
                                  {"p50", line.p50},
                                  {"p99", line.p99},
                                  {"bareP50", OrNull(line.bare_p50)},
                                  {"bareP99", OrNull(line.bare_p99)},
                                  {"ratio", OrNull(line.ratio)},
                                  {"target", OrNull(line.target)}}));
  return Json::Object({{"processor", Processor()},
                       {"cpus", std::thread::hardware_concurrency()},
                       {"loadAverage", Load()},
                       {"lines", items}});
}

std::string ToTable(const std::vector<Line>& lines) {
  std::string out;
  char row[256];
  const auto add = [&](const std::string& name, const std::string& unit, const std::string& p50,
                       const std::string& p99, const std::string& bare50, const std::string& bare99,
                       const std::string& ratio, const std::string& target) {
    std::snprintf(row, sizeof row, "%-46s %-5s %9s %9s %9s %9s %7s %7s\n", name.c_str(), unit.c_str(),
                  p50.c_str(), p99.c_str(), bare50.c_str(), bare99.c_str(), ratio.c_str(), target.c_str());
    out += row;
  };
  add("", "", "p50", "p99", "bare p50", "bare p99", "ratio", "target");
  for (const Line& line : lines)
    add(line.name, line.unit, Fixed(line.p50), Fixed(line.p99), Fixed(line.bare_p50), Fixed(line.bare_p99),
        Fixed(line.ratio), line.target ? "<=" + Fixed(*line.target) : "-");
  return out + "\n" + Processor() + ", " + std::to_string(std::thread::hardware_concurrency()) +
         " CPUs, load average " + Load() + "\n";
}

}  // namespace portcullis::bench

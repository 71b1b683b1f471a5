#include "metrics/process.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>

namespace portcullis::metrics {
namespace {

std::string ReadAll(const char* path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::optional<double> NumberIn(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  return value;
}

/// When the kernel started, in Unix seconds.
std::optional<double> BootTime() {
  static constexpr std::string_view kName = "btime ";
  const std::string stat = ReadAll("/proc/stat");
  const std::size_t at = stat.find(kName);
  if (at == std::string::npos) return std::nullopt;
  return NumberIn(std::string_view(stat).substr(at + kName.size()));
}

std::optional<double> OpenFiles() {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir("/proc/self/fd"), closedir);
  if (folder == nullptr) return std::nullopt;
  double count = 0;
  while (const dirent* entry = readdir(folder.get()))
    if (entry->d_name[0] != '.') ++count;
  return count - 1;  // the folder's own descriptor
}

std::optional<double> MaxFiles() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  return static_cast<double>(limit.rlim_cur);
}

void Add(std::vector<prometheus::MetricFamily>& out, const char* name, const char* help,
         prometheus::MetricType type, std::optional<double> value) {
  if (!value) return;
  prometheus::ClientMetric metric;
  if (type == prometheus::MetricType::Counter)
    metric.counter.value = *value;
  else
    metric.gauge.value = *value;
  out.push_back({name, help, type, {metric}});
}

}  // namespace

std::vector<std::string_view> StatFields(std::string_view stat) {
  std::vector<std::string_view> fields;
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string_view::npos) return fields;
  std::string_view rest = stat.substr(name_end + 1);
  while (!rest.empty()) {
    const std::size_t begin = rest.find_first_not_of(" \n");
    if (begin == std::string_view::npos) break;
    const std::size_t end = std::min(rest.find_first_of(" \n", begin), rest.size());
    fields.push_back(rest.substr(begin, end - begin));
    rest.remove_prefix(end);
  }
  return fields;
}

std::vector<prometheus::MetricFamily> ProcessFamilies() {
  using enum prometheus::MetricType;
  // Positions in proc(5) less 3: pid, name and the first of ours, which is state.
  constexpr std::size_t kUserTicks = 11, kSystemTicks = 12, kStartTicks = 19, kVirtualBytes = 20, kPages = 21;

  const std::string stat = ReadAll("/proc/self/stat");
  const std::vector<std::string_view> fields = StatFields(stat);
  const auto field = [&fields](std::size_t index) -> std::optional<double> {
    return index < fields.size() ? NumberIn(fields[index]) : std::nullopt;
  };
  const double ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  const double page_size = static_cast<double>(sysconf(_SC_PAGESIZE));
  const auto user = field(kUserTicks), system = field(kSystemTicks), start = field(kStartTicks),
             pages = field(kPages);
  const auto boot = BootTime();

  std::vector<prometheus::MetricFamily> out;
  if (user && system)
    Add(out, "process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", Counter,
        (*user + *system) / ticks_per_second);
  if (pages)
    Add(out, "process_resident_memory_bytes", "Resident memory size in bytes.", Gauge, *pages * page_size);
  Add(out, "process_virtual_memory_bytes", "Virtual memory size in bytes.", Gauge, field(kVirtualBytes));
  Add(out, "process_open_fds", "Number of open file descriptors.", Gauge, OpenFiles());
  Add(out, "process_max_fds", "Maximum number of open file descriptors.", Gauge, MaxFiles());
  if (start && boot)
    Add(out, "process_start_time_seconds", "Start time of the process since unix epoch in seconds.", Gauge,
        *boot + *start / ticks_per_second);
  return out;
}

}  // namespace portcullis::metrics

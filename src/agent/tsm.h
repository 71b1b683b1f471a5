#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "agent/files.h"
#include "base/random.h"

namespace portcullis::agent {

inline constexpr const char* kTsmReportPath = "/sys/kernel/config/tsm/report";

using ReportData = FixedBytes<struct ReportDataTag, 64>;  // what the hardware is to sign
using Sleep = std::function<void(std::chrono::milliseconds)>;

/// What the hardware said: the report, and the certificate table that the host provided with it ("" where
/// none).
struct TsmReport {
  std::string provider;  // "sev_guest", "tdx_guest"
  ByteBuffer outblob, auxblob;
};

/// The kernel's configfs-tsm interface (Documentation/ABI/testing/configfs-tsm-report): a directory made per
/// request; `inblob` takes the 64 bytes of report data, `outblob` and `auxblob` give the evidence,
/// `generation` counts writes, so that a change between is seen and the request made again. Where the kernel
/// asks to try again it gets a pause first, since what it waits for (firmware, the host's quoting service)
/// takes its time.
class Tsm {
 public:
  Tsm(Files& files, Random& random, Sleep sleep, std::string path = kTsmReportPath)
      : files_(files), random_(random), sleep_(std::move(sleep)), path_(std::move(path)) {}

  /// Whose reports these are. Errors: NotFound (no TEE, its driver is missing, or configfs is not mounted
  /// here), ConfigurationInvalid (not root, or mounted read-only), InternalError.
  Result<std::string> Provider();
  /// Errors: those of Provider(), and Overloaded (others kept interfering, or the kernel stayed busy).
  Result<TsmReport> Report(const ReportData& report_data);

 private:
  template <typename Fn>
  auto InDirectory(Fn&& fn) -> decltype(fn(std::string()));
  Result<std::string> ProviderIn(const std::string& directory);
  Result<TsmReport> ReportIn(const std::string& directory, const ReportData& report_data);
  /// nullopt: to be made again.
  Result<std::optional<TsmReport>> TryReport(const std::string& directory, const ReportData& report_data,
                                             bool& busy);

  Files& files_;
  Random& random_;
  Sleep sleep_;
  std::string path_;
};

}  // namespace portcullis::agent

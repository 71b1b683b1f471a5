#pragma once

#include <string>

#include "agent/files.h"
#include "base/random.h"
#include "evidence/snp/reference_values.h"

namespace portcullis::agent {

inline constexpr const char* kTsmReportPath = "/sys/kernel/config/tsm/report";

/// What the hardware said: the report, and the certificate table that the host provided with it ("" where
/// none).
struct TsmReport {
  std::string provider;  // "sev_guest"
  ByteBuffer outblob, auxblob;
};

/// The kernel's configfs-tsm interface (Documentation/ABI/testing/configfs-tsm-report): a directory made per
/// request; `inblob` takes the 64 bytes of report data, `outblob` and `auxblob` give the evidence,
/// `generation` counts writes, so that a change between is seen and the request made again.
class Tsm {
 public:
  Tsm(Files& files, Random& random, std::string path = kTsmReportPath)
      : files_(files), random_(random), path_(std::move(path)) {}

  /// Errors: NotFound (no TEE, or its driver is missing), Overloaded (others kept interfering),
  /// InternalError.
  Result<TsmReport> Report(const snp::ReportData& report_data);

 private:
  Result<TsmReport> ReportIn(const std::string& directory, const snp::ReportData& report_data);
  Files& files_;
  Random& random_;
  std::string path_;
};

}  // namespace portcullis::agent

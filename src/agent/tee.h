#pragma once

#include <memory>
#include <string>

#include "agent/tsm.h"
#include "codec/init_data.h"
#include "codec/json.h"

namespace portcullis::agent {

/// The TEE around this process, whichever it is: what it measured at launch, and its evidence in the form of
/// RCAR (kbs-protocol.md 2.4).
class Tee {
 public:
  virtual ~Tee() = default;
  /// RCAR's word for it: "snp", "tdx".
  virtual std::string_view name() const = 0;
  /// The host hands init-data in and is not trusted with it: only what the hardware measured at launch
  /// counts. Errors: InitDataMismatch, and those of Tsm::Report().
  virtual Result<> RequireMeasured(const codec::InitData& init_data) = 0;
  /// primary_evidence over this report data. Errors: those of Tsm::Report().
  virtual Result<codec::Json> Evidence(const ReportData& report_data) = 0;
};

inline constexpr const char* kEventLogPath = "/sys/firmware/acpi/tables/data/CCEL";

/// The TEE that configfs-tsm has a provider for. `tsm` and `files` must outlive it; the event log, which only
/// TDX has, is read by `files` at `event_log_path`. Errors: TeeMismatch (a provider this agent doesn't know),
/// NotFound (none), and those of Tsm::Provider().
Result<std::unique_ptr<Tee>> OpenTee(Tsm& tsm, Files& files, std::string event_log_path = kEventLogPath);

}  // namespace portcullis::agent

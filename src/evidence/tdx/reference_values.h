#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"

namespace portcullis::tdx {

using Measurement = FixedBytes<struct MeasurementTag, 48>;  // MRTD, RTMRs, MRSEAM, MROWNER and their like
using ReportData = FixedBytes<struct ReportDataTag, 64>;    // what the guest had signed
using Fmspc = FixedBytes<struct FmspcTag, 6>;               // family, model, stepping, platform, custom SKU
using Ppid = FixedBytes<struct PpidTag, 16>;                // one platform, as its provisioning names it

/// tcbStatus of Intel's TCB info (tdx.md section 6), after convergence of platform, module and QE.
enum class TcbStatus : std::uint8_t {
  kUpToDate,
  kSwHardeningNeeded,
  kConfigurationNeeded,
  kConfigurationAndSwHardeningNeeded,
  kOutOfDate,
  kOutOfDateConfigurationNeeded,
  kTdRelaunchAdvised,
  kTdRelaunchAdvisedConfigurationNeeded,
  kRevoked,
};
std::string_view NameOf(TcbStatus status);  // "UpToDate", as in Intel's JSON
/// nullopt for a text that is none of the names.
std::optional<TcbStatus> TcbStatusOf(std::string_view name);

/// Which list of levels counts: Intel serves a new one ("early") about a year before it becomes "standard".
enum class EvaluationSet : std::uint8_t { kStandard, kEarly };
std::string_view NameOf(EvaluationSet set);  // "standard", "early": as in the PCS query

/// A status that would be refused, tolerated for a time: every advisory of the platform is listed, the
/// effective tcbDate is not older than the floor, and `until` has not come. UpToDate and Revoked have none.
struct TcbException {
  TcbStatus status;
  std::set<std::string> advisories;  // "INTEL-SA-00837"; all that the platform shows must be among them
  WallTime tcb_date_floor;
  WallTime until;
};

/// A rule on a 48-byte value that the guest or host may have set.
struct MeasurementRule {
  enum class Mode : std::uint8_t { kAny, kAbsent, kListed } mode;  // kAbsent: all zeros
  std::set<Measurement> listed;                                    // for kListed
};

/// One event that must be in the log of an RTMR, by the digest that was extended, or by its data where the
/// digest is bound to it (tdx.md section 9).
struct RequiredEvent {
  std::uint32_t rtmr;             // 0..3
  std::uint32_t type;             // TCG event type
  std::set<Measurement> digests;  // the event's digest is one of them
};

/// What a policy demands of a TDX quote. Every member was said in the policy: nothing has a default.
struct ReferenceValues {
  std::set<Measurement> mr_td;  // never empty
  MeasurementRule mr_seam;
  std::array<MeasurementRule, 4> rtmrs;
  std::vector<RequiredEvent> events;  // not empty demands an event log that replays to the RTMRs
  MeasurementRule mr_owner, mr_owner_config;
  MeasurementRule mr_service_td;                                   // kAbsent also for quotes of TDX 1.0
  std::uint64_t td_attributes_must_set, td_attributes_must_clear;  // DEBUG is refused whatever they say
  std::uint64_t xfam_allowed;                                      // no bit of XFAM outside this mask
  EvaluationSet evaluation_set;
  std::uint32_t min_evaluation_number;
  std::set<TcbStatus> tcb_statuses;  // accepted as they are; never kRevoked
  std::vector<TcbException> tcb_exceptions;
  std::set<std::string> denied_advisories;  // refused even where the status is accepted
  bool any_genuine_platform;                // else allowed_platforms
  std::set<Ppid> allowed_platforms, denied_platforms;
  std::set<Fmspc> fmspcs;  // empty: any
};

/// What this one attestation must show, beside the policy.
struct Binding {
  ReportData report_data;                // all 64 bytes
  std::optional<Measurement> config_id;  // MRCONFIGID: init-data digest, zero-padded; nullopt demands zeros
};

}  // namespace portcullis::tdx

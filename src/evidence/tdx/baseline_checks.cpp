#include "codec/text.h"
#include "evidence/tdx/attributes.h"
#include "evidence/tdx/tables.h"
#include "evidence/tdx/text.h"

namespace portcullis::tdx {
namespace {

using enum ReasonCode;
using evidence::Check;
using evidence::Comparison;

Comparison ModuleKnown(const BaselineSubject& s) {
  const TcbEvaluation& tcb = s.quote.tcb();
  return {tcb.module_known, "one identity for the TDX module's version",
          tcb.module_known ? tcb.module_id : "none for " + tcb.module_id};
}

Comparison ModuleGenuine(const BaselineSubject& s) {
  const TcbEvaluation& tcb = s.quote.tcb();
  if (!tcb.module_known) return NothingToCompareWith();
  const TdReport& report = s.quote->report;
  return {tcb.module_genuine, "MRSIGNERSEAM of that identity, SEAMATTRIBUTES zero",
          tcb.module_genuine ? "as expected"
                             : FromReport(codec::EncodeHex(report.mr_signer_seam.bytes()), "64") + ", " +
                                   FromReport(HexNumber(report.seam_attributes), "112")};
}

Comparison TcbSupported(const BaselineSubject& s) {
  const TcbEvaluation& tcb = s.quote.tcb();
  if (!tcb.module_known) return NothingToCompareWith();
  return {tcb.supported(), "a level of the TCB info for platform, module and QE",
          tcb.supported() ? "as expected" : tcb.not_supported};
}

Comparison TcbNotRevoked(const BaselineSubject& s) {
  const TcbEvaluation& tcb = s.quote.tcb();
  if (!tcb.supported()) return NothingToCompareWith();
  return {tcb.status != TcbStatus::kRevoked, "a TCB that Intel has not revoked", tcb.status_name};
}

Comparison TcbStatusKnown(const BaselineSubject& s) {
  const TcbEvaluation& tcb = s.quote.tcb();
  if (!tcb.supported()) return NothingToCompareWith();
  return {tcb.status.has_value(), "a status that is known", Quoted(tcb.status_name)};
}

std::string AttributesText(const BaselineSubject& s) {
  return FromReport(HexNumber(s.quote->report.td_attributes), "120");
}

Comparison DebugOff(const BaselineSubject& s) {
  return {(s.quote->report.td_attributes & kTdAttributesDebug) == 0, "bit 0 clear", AttributesText(s)};
}

Comparison AttributesReserved(const BaselineSubject& s) {
  return {(s.quote->report.td_attributes & ~kTdAttributesKnown) == 0, "reserved bits clear",
          AttributesText(s)};
}

Comparison XfamFixed(const BaselineSubject& s) {
  const std::uint64_t xfam = s.quote->report.xfam;
  return {(xfam & kXfamFixed) == kXfamFixed && (xfam & ~kXfamKnown) == 0,
          "bits 0 and 1 set, none outside " + HexNumber(kXfamKnown), FromReport(HexNumber(xfam), "128")};
}

Comparison LogWellFormed(const BaselineSubject& s) {
  return {!s.log.present || s.log.log.has_value(), "a TCG event log, or none",
          s.log.present ? (s.log.log ? "a log" : s.log.defect) : "none"};
}

/// RTMR3 is extended without an entry by some guests: it counts where a policy uses its events.
Comparison LogReplays(const BaselineSubject& s) {
  if (s.log.present && !s.log.log) return NothingToCompareWith();
  constexpr auto kExpected = "a log that replays to RTMR0 to RTMR2, or none";
  if (!s.log.present) return {true, kExpected, "none"};
  for (std::size_t i = 0; i < 3; ++i)
    if (s.log.replayed[i] != s.quote->report.rtmrs[i])
      return {false, kExpected,
              "RTMR" + std::to_string(i) + " replays to " + codec::EncodeHex(s.log.replayed[i].bytes())};
  return {true, kExpected, "as expected"};
}

constexpr Check<BaselineSubject> kRows[] = {
    {"tdx.tdx-module-unknown", kTcbStatusNotAllowed, "PCS API v4", ModuleKnown},
    {"tdx.tdx-module-identity", kPlatformNotAllowed, "PCS API v4", ModuleGenuine},
    {"tdx.tcb-not-supported", kTcbStatusNotAllowed, "PCS API v4", TcbSupported},
    {"tdx.tcb-revoked", kTcbStatusNotAllowed, "PCS API v4", TcbNotRevoked},
    {"tdx.tcb-status-unknown", kTcbStatusNotAllowed, "PCS API v4", TcbStatusKnown},
    {"tdx.td-debug", kDebugEnabled, "TDX Module ABI", DebugOff},
    {"tdx.td-attributes-reserved", kGuestPolicyNotAllowed, "TDX Module ABI", AttributesReserved},
    {"tdx.td-xfam-reserved", kGuestPolicyNotAllowed, "TDX Module ABI", XfamFixed},
    {"tdx.eventlog-malformed", kEvidenceMalformed, "TCG PFP, 10", LogWellFormed},
    {"tdx.eventlog-mismatch", kMeasurementNotAllowed, "TCG PFP, 10", LogReplays},
};

}  // namespace

std::span<const Check<BaselineSubject>> BaselineChecks() { return kRows; }

}  // namespace portcullis::tdx

#include "base/clock.h"
#include "policy/event_types.h"
#include "policy/explain_tees.h"
#include "policy/explain_words.h"
#include "policy/tdx_bits.h"

namespace portcullis::policy {
namespace {

std::string RuleText(std::string_view what, const tdx::MeasurementRule& rule) {
  using Mode = tdx::MeasurementRule::Mode;
  std::string out = "      " + std::string(what);
  switch (rule.mode) {
    case Mode::kAny:
      return out + ": not looked at.\n";
    case Mode::kAbsent:
      return out + ": must be absent.\n";
    case Mode::kListed:
      return out + ": " + HexList(rule.listed) + ".\n";
  }
  return out;
}

std::string EventsText(const std::vector<tdx::RequiredEvent>& events) {
  if (events.empty()) return "  - No event log: RTMRs are compared as they are.\n";
  std::string out = "  - An event log that replays to the RTMRs and has:\n";
  for (const tdx::RequiredEvent& event : events)
    out += "      " + std::string(EventTypeName(event.type)) + " in RTMR" + Number(event.rtmr) +
           " with digest " + HexList(event.digests) + ".\n";
  return out;
}

std::string AdvisoriesText(const std::set<std::string>& advisories) {
  return Joined(advisories, [](const std::string& advisory) { return advisory; });
}

std::string ExceptionText(const tdx::TcbException& exception) {
  return "      " + std::string(tdx::NameOf(exception.status)) + " until " +
         FormatTimestamp(exception.until) + ", with no advisory beside " +
         AdvisoriesText(exception.advisories) + ", and a TCB of " +
         FormatTimestamp(exception.tcb_date_floor) + " or later.\n";
}

std::string TcbText(const tdx::ReferenceValues& rules) {
  std::string out =
      "  - By Intel's " + std::string(tdx::NameOf(rules.evaluation_set)) + " list, of evaluation number " +
      Number(rules.min_evaluation_number) + " or later, a TCB that is " +
      Joined(rules.tcb_statuses, [](tdx::TcbStatus status) { return std::string(tdx::NameOf(status)); });
  if (rules.tcb_exceptions.empty())
    out += "; no other status is accepted for a time.\n";
  else
    out += ", or for a time:\n";
  for (const tdx::TcbException& exception : rules.tcb_exceptions) out += ExceptionText(exception);
  return out + "  - Advisories that are refused even so: " + AdvisoriesText(rules.denied_advisories) + ".\n";
}

std::string PlatformsText(const tdx::ReferenceValues& rules) {
  std::string out = rules.any_genuine_platform
                        ? "  - Any genuine platform: whoever owns one may run this guest."
                        : "  - Only the platforms with PPID " + HexList(rules.allowed_platforms) + ".";
  if (!rules.denied_platforms.empty()) out += " Never " + HexList(rules.denied_platforms) + ".";
  return out + " FMSPC: " + (rules.fmspcs.empty() ? "any" : HexList(rules.fmspcs)) + ".\n";
}

}  // namespace

std::string TdxText(const tdx::ReferenceValues& rules) {
  return "  - A quote of a TD without debugging, with TD attributes " +
         NamesOf(kTdAttributeBits, rules.td_attributes_must_set) + " set and " +
         NamesOf(kTdAttributeBits, rules.td_attributes_must_clear) +
         " clear, and no extended feature (XFAM) outside " + Mask(rules.xfam_allowed) + ".\n" +
         TcbText(rules) + PlatformsText(rules) + "  - A build-time measurement (MRTD) of:\n" +
         HexLines(rules.mr_td) + "  - These other measurements:\n" +
         RuleText("TDX module (MRSEAM)", rules.mr_seam) + RuleText("RTMR0", rules.rtmrs[0]) +
         RuleText("RTMR1", rules.rtmrs[1]) + RuleText("RTMR2", rules.rtmrs[2]) +
         RuleText("RTMR3", rules.rtmrs[3]) + RuleText("owner (MROWNER)", rules.mr_owner) +
         RuleText("owner's configuration (MROWNERCONFIG)", rules.mr_owner_config) +
         RuleText("service TD (MRSERVICETD)", rules.mr_service_td) + EventsText(rules.events);
}

}  // namespace portcullis::policy

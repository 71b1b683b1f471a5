#include <algorithm>

#include "evidence/tdx/tables.h"
#include "evidence/tdx/text.h"

namespace portcullis::tdx {
namespace {

using enum ReasonCode;
using evidence::Check;
using evidence::Comparison;

Comparison LogThere(const Subject& s) {
  const bool demanded = !s.reference.events.empty();
  return {!demanded || s.log.present, demanded ? "an event log" : "an event log or none",
          s.log.present ? "an event log" : "none"};
}

/// A log says something of a register only where it replays to what was signed.
bool Replays(const Subject& s, std::uint32_t rtmr) {
  return rtmr < s.log.replayed.size() && s.log.replayed[rtmr] == s.quote->report.rtmrs[rtmr];
}

bool Shows(const EventLog& log, const RequiredEvent& wanted) {
  return std::ranges::any_of(log.events, [&](const Event& event) {
    return event.rtmr == wanted.rtmr && event.type == wanted.type && wanted.digests.contains(event.digest);
  });
}

std::string TextOf(const RequiredEvent& wanted) {
  return "RTMR" + std::to_string(wanted.rtmr) + " type " + HexNumber(wanted.type);
}

Comparison EventsThere(const Subject& s) {
  if (s.reference.events.empty()) return {true, "none demanded", "none demanded"};
  if (!s.log.log) return NothingToCompareWith();
  const std::string expected = std::to_string(s.reference.events.size()) + " events in registers that replay";
  for (const RequiredEvent& wanted : s.reference.events) {
    if (!Replays(s, wanted.rtmr)) return {false, expected, TextOf(wanted) + ": the register does not replay"};
    if (!Shows(*s.log.log, wanted)) return {false, expected, TextOf(wanted) + ": no such event"};
  }
  return {true, expected, "as expected"};
}

constexpr Check<Subject> kRows[] = {
    {"tdx.eventlog-missing", kMeasurementNotAllowed, "TCG PFP, 10", LogThere},
    {"tdx.events", kMeasurementNotAllowed, "TCG PFP, 10", EventsThere},
};

}  // namespace

std::span<const Check<Subject>> EventChecks() { return kRows; }

}  // namespace portcullis::tdx

#pragma once

#include <optional>
#include <span>
#include <string>

#include "evidence/check.h"
#include "evidence/tdx/chain.h"
#include "evidence/tdx/event_log.h"

namespace portcullis::tdx {

/// The event log of the evidence as far as it could be read.
struct ExaminedLog {
  bool present = false;
  std::optional<EventLog> log;
  std::string defect;  // why there is none though the evidence has one
  std::array<Measurement, 4> replayed;
};

/// What holds with no policy at all.
struct BaselineSubject {
  const AuthenticQuote& quote;
  const ExaminedLog& log;
};

struct Subject {
  const AuthenticQuote& quote;
  const ExaminedLog& log;
  const ReferenceValues& reference;
  const Binding& binding;
};

inline evidence::Comparison NothingToCompareWith() {
  return {.passed = false, .expected = {}, .actual = {}, .evaluated = false};
}

std::span<const evidence::Check<BaselineSubject>> BaselineChecks();

// The parts of what a policy demands, in their order.
std::span<const evidence::Check<Subject>> PlatformChecks();     // what runs the TD
std::span<const evidence::Check<Subject>> AttributeChecks();    // how the TD was made
std::span<const evidence::Check<Subject>> MeasurementChecks();  // what the TD is
std::span<const evidence::Check<Subject>> EventChecks();        // what its event log shows

}  // namespace portcullis::tdx

#pragma once

#include "codec/json.h"
#include "evidence/tdx/reference_values.h"

namespace portcullis::policy {

inline constexpr std::size_t kMaxTcbExceptions = 64;
inline constexpr std::size_t kMaxAdvisories = 256;

/// Reads `tees.tdx.tcb` into the members of `out` that hold it: which of Intel's lists counts, which TCB
/// statuses are accepted, which are for a time, and which advisories never are.
/// Error: PolicyIncomplete, also where two members contradict each other.
Result<> ReadTcbRules(codec::ObjectReader& in, tdx::ReferenceValues& out);

}  // namespace portcullis::policy

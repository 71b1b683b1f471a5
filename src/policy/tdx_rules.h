#pragma once

#include "codec/json.h"
#include "evidence/tdx/reference_values.h"

namespace portcullis::policy {

inline constexpr std::size_t kMaxRequiredEvents = 256;

/// Reads `tees.tdx` of a policy; docs/reference/policy.md has each member.
/// Error: PolicyIncomplete, with the member's path, also where two members contradict each other.
Result<tdx::ReferenceValues> ReadTdxRules(codec::ObjectReader& in);
/// The same where something else than RTMRs and events names the workload, as the vTPM does on Azure.
Result<tdx::ReferenceValues> ReadTdRules(codec::ObjectReader& in);

}  // namespace portcullis::policy

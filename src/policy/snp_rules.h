#pragma once

#include "codec/json.h"
#include "evidence/snp/reference_values.h"

namespace portcullis::policy {

inline constexpr std::size_t kMaxProducts = 64;
inline constexpr std::size_t kMaxMeasurements = 1024;
inline constexpr std::size_t kMaxChips = 1024;
inline constexpr std::size_t kMaxDigests = 256;

/// Reads `tees.snp` of a policy; docs/reference/policy.md has each member.
/// Error: PolicyIncomplete, with the member's path, also where two members contradict each other.
Result<snp::ReferenceValues> ReadSnpRules(codec::ObjectReader& in);

}  // namespace portcullis::policy

#pragma once

#include "codec/json.h"
#include "policy/named_bits.h"

namespace portcullis::policy {

struct BitRule {
  std::uint64_t must_set, must_clear;
};

/// Reads `mustSet` and `mustClear`, names of `bits` each.
/// Error: PolicyIncomplete, also for a bit that stands in both.
Result<BitRule> ReadBitRule(codec::ObjectReader& in, std::span<const NamedBit> bits);

}  // namespace portcullis::policy

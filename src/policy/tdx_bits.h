#pragma once

#include <array>

#include "evidence/tdx/attributes.h"
#include "policy/named_bits.h"

namespace portcullis::policy {

/// TDATTRIBUTES under Intel's names. The others are reserved, and a quote with one of them set is refused
/// whatever a policy says.
inline constexpr auto kTdAttributeBits = [] {
  std::array<NamedBit, std::size(tdx::kTdAttributeBits)> out{};
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = {tdx::kTdAttributeBits[i].name, tdx::kTdAttributeBits[i].bit};
  return out;
}();
/// Bits 0 to 7 each let the host look into the TD: Intel's group "TD under debug".
inline constexpr std::uint64_t kTdUnderDebug = 0xFF;
inline constexpr std::uint64_t kMigratable = std::uint64_t{1} << 29;

}  // namespace portcullis::policy

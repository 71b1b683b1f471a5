#pragma once

#include "policy/named_bits.h"

namespace portcullis::policy {

/// The guest's launch policy (AMD 56860, POLICY at 0x008), without bit 17, which must be one in every report.
inline constexpr NamedBit kGuestPolicyBits[] = {
    {"SmtAllowed", 16},   {"MigrateMa", 18},        {"Debug", 19},
    {"SingleSocket", 20}, {"CxlAllowed", 21},       {"MemAes256Xts", 22},
    {"RaplDisabled", 23}, {"CiphertextHiding", 24}, {"PageSwapDisabled", 25},
};
inline constexpr std::uint64_t kMigrateMa = std::uint64_t{1} << 18;
inline constexpr std::uint64_t kDebug = std::uint64_t{1} << 19;

/// The platform's state (AMD 56860, PLATFORM_INFO at 0x040). Bit 6 has no published meaning and is set on
/// genuine Turin reports, so it has no name here.
inline constexpr NamedBit kPlatformBits[] = {
    {"SmtEnabled", 0},           {"TsmeEnabled", 1},        {"EccEnabled", 2}, {"RaplDisabled", 3},
    {"CiphertextHidingDram", 4}, {"AliasCheckComplete", 5}, {"TioEnabled", 7},
};

}  // namespace portcullis::policy

#pragma once

#include <cstdint>
#include <string_view>

namespace portcullis::tdx {

/// A bit of TDATTRIBUTES (Intel TDX Module ABI, ATTRIBUTES; Linux arch/x86/include/asm/shared/tdx.h).
struct AttributeBit {
  unsigned bit;
  std::string_view name;
};
inline constexpr AttributeBit kTdAttributeBits[] = {
    {0, "DEBUG"}, {4, "HGS_PLUS_PROF"},    {5, "PERF_PROF"},   {6, "PMT_PROF"}, {16, "ICSSD"},
    {27, "LASS"}, {28, "SEPT_VE_DISABLE"}, {29, "MIGRATABLE"}, {30, "PKS"},     {31, "KL"},
    {62, "TPA"},  {63, "PERFMON"},
};
inline constexpr std::uint64_t kTdAttributesKnown = [] {
  std::uint64_t out = 0;
  for (const AttributeBit& known : kTdAttributeBits) out |= std::uint64_t{1} << known.bit;
  return out;
}();
inline constexpr std::uint64_t kTdAttributesDebug = 1;

// XFAM: x87 and SSE always; nothing beside AVX, AVX-512, PT, PKU, CET, UINTR, LBR and AMX.
inline constexpr std::uint64_t kXfamFixed = 0x3;
inline constexpr std::uint64_t kXfamKnown = 0x6DBE7;

}  // namespace portcullis::tdx

#include "policy/named_bits.h"

namespace portcullis::policy {

std::optional<std::uint64_t> MaskOf(std::span<const NamedBit> bits, std::string_view name) {
  for (const NamedBit& bit : bits)
    if (bit.name == name) return bit.mask();
  return std::nullopt;
}

std::string NamesOf(std::span<const NamedBit> bits, std::uint64_t mask) {
  std::string out;
  for (const NamedBit& bit : bits) {
    if ((mask & bit.mask()) == 0) continue;
    if (!out.empty()) out += ", ";
    out += bit.name;
  }
  return out.empty() ? "nothing" : out;
}

}  // namespace portcullis::policy

#include "policy/bit_rule.h"

#include "policy/fields.h"

namespace portcullis::policy {
namespace {

Result<std::uint64_t> ReadBits(codec::ObjectReader& in, std::string_view name,
                               std::span<const NamedBit> bits) {
  std::uint64_t mask = 0;
  for (const std::string& text : TRY(in.Texts(name, bits.size()))) {
    const auto bit = MaskOf(bits, text);
    if (!bit) return Incomplete("is no bit known here; docs/reference/policy.md lists them", name, text);
    mask |= *bit;
  }
  return mask;
}

}  // namespace

Result<BitRule> ReadBitRule(codec::ObjectReader& in, std::span<const NamedBit> bits) {
  const std::uint64_t must_set = TRY(ReadBits(in, "mustSet", bits));
  const std::uint64_t must_clear = TRY(ReadBits(in, "mustClear", bits));
  if (const std::uint64_t both = must_set & must_clear; both != 0)
    return Incomplete("has a bit of mustSet too, which no report can satisfy", "mustClear",
                      NamesOf(bits, both));
  return BitRule{must_set, must_clear};
}

}  // namespace portcullis::policy

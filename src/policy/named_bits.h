#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace portcullis::policy {

/// A bit of a register under the name that a policy gives it.
struct NamedBit {
  std::string_view name;
  unsigned position;
  constexpr std::uint64_t mask() const { return std::uint64_t{1} << position; }
};

std::optional<std::uint64_t> MaskOf(std::span<const NamedBit> bits, std::string_view name);
/// "SmtAllowed, Debug"; "nothing" for an empty mask.
std::string NamesOf(std::span<const NamedBit> bits, std::uint64_t mask);

}  // namespace portcullis::policy

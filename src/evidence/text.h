#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// How findings and claims of every TEE show values.
namespace portcullis::evidence {

std::string HexNumber(std::uint64_t value);  // "0x30000"
/// A value with the place in the report that it was read from: "0x1 (report@120)".
std::string FromReport(std::string value, std::string_view offset);

/// What a list allows, cut to its first items: a finding is for reading, not for copying a policy.
template <typename Items, typename ToText>
std::string OneOf(const Items& items, ToText to_text) {
  constexpr std::size_t kShown = 4;
  if (items.empty()) return "none";
  std::string out = items.size() == 1 ? "" : "one of ";
  std::size_t shown = 0;
  for (const auto& item : items) {
    if (shown == kShown) return out + " and " + std::to_string(items.size() - kShown) + " more";
    if (shown++ > 0) out += ", ";
    out += to_text(item);
  }
  return out;
}
inline std::string AsItIs(std::string_view text) { return std::string(text); }

}  // namespace portcullis::evidence

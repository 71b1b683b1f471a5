#pragma once

#include <string>

#include "codec/text.h"

/// How `portcullis policy explain` writes values.
namespace portcullis::policy {

/// "a, b"; "none" for nothing.
template <typename Range, typename Text>
std::string Joined(const Range& items, Text text) {
  std::string out;
  for (const auto& item : items) {
    if (!out.empty()) out += ", ";
    out += text(item);
  }
  return out.empty() ? "none" : out;
}

inline std::string Hex(Bytes bytes) { return codec::EncodeHex(bytes); }
inline std::string Number(std::uint64_t value) { return std::to_string(value); }
std::string Mask(std::uint64_t value);  // "0x1f"

/// Values as hex, with commas.
template <typename Range>
std::string HexList(const Range& values) {
  return Joined(values, [](const auto& value) { return Hex(value.bytes()); });
}
/// Values as hex, a line each, under a line that introduces them.
template <typename Range>
std::string HexLines(const Range& values) {
  std::string out;
  for (const auto& value : values) out += "      " + Hex(value.bytes()) + "\n";
  return out;
}

}  // namespace portcullis::policy

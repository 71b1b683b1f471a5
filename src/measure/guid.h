#pragma once

#include <string_view>

#include "base/bytes.h"

namespace portcullis::measure {

/// A GUID as firmware stores it: the first three fields little-endian, the rest as written.
using Guid = FixedBytes<struct GuidTag, 16>;

/// From "00f771de-1a7e-4fcb-890e-68c77e2fb44e". A text that is none does not compile.
consteval Guid GuidOf(std::string_view text) {
  constexpr std::size_t kOrder[] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
  std::array<std::byte, 16> out{};
  std::size_t digits = 0;
  for (const char c : text) {
    if (c == '-') continue;
    const int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : throw "not hex";
    std::byte& byte = out[kOrder[digits / 2]];
    byte = static_cast<std::byte>(static_cast<int>(byte) << 4 | value);
    ++digits;
  }
  if (digits != 32) throw "not 32 digits";
  return Guid(out);
}

}  // namespace portcullis::measure

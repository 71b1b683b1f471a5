#pragma once

#include <string>
#include <string_view>

namespace portcullis::codec {

/// How many bytes from the start are whole, valid UTF-8 (RFC 3629: no overlong forms, no surrogates, at most
/// U+10FFFF).
std::size_t ValidUtf8Prefix(std::string_view text);
inline bool IsValidUtf8(std::string_view text) { return ValidUtf8Prefix(text) == text.size(); }

/// How many bytes from the start stand in a JSON text as they are: printable ASCII but quote and backslash.
std::size_t PlainPrefix(std::string_view text);

/// The text with each byte that is not UTF-8 replaced by U+FFFD: for writers, whose output must always be
/// readable.
std::string RepairedUtf8(std::string_view text);

}  // namespace portcullis::codec

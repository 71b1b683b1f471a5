#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace portcullis::http {

inline constexpr std::size_t kMaxQueryParameters = 32;

/// The target of a request in origin form (RFC 9112 3.2.1), where only one reading of it exists.
struct Target {
  std::string path;                          // exactly as sent
  std::map<std::string, std::string> query;  // percent-decoded, printable ASCII
};

/// Refuses whatever two parsers could read differently: other forms, empty or dot segments, any escape in the
/// path (no route needs one), backslashes, fragments, control or non-ASCII bytes behind an escape, a name
/// given twice. Error: RequestMalformed.
Result<Target> ParseTarget(std::string_view target);

}  // namespace portcullis::http

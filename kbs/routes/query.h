#pragma once

#include <optional>
#include <string>

#include "http/message.h"

namespace portcullis::kbs {

// Parameters of a query, each with its limit. Error: RequestMalformed, with the parameter's name.
Result<std::int64_t> QueryInteger(const http::Request& request, const std::string& name,
                                  std::int64_t fallback, std::int64_t min, std::int64_t max);
std::string QueryText(const http::Request& request, const std::string& name, std::string fallback);
/// nullopt where it is absent, which is another thing than "".
Result<std::optional<std::string>> QueryOptional(const http::Request& request, const std::string& name,
                                                 std::size_t max_length);

}  // namespace portcullis::kbs

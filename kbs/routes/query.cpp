#include "kbs/routes/query.h"

#include <charconv>

namespace portcullis::kbs {

using http::Request;

Result<std::int64_t> QueryInteger(const Request& request, const std::string& name, std::int64_t fallback,
                                  std::int64_t min, std::int64_t max) {
  const auto found = request.query.find(name);
  if (found == request.query.end()) return fallback;
  std::int64_t value = 0;
  const char* end = found->second.data() + found->second.size();
  const auto [stop, error] = std::from_chars(found->second.data(), end, value);
  if (error != std::errc() || stop != end || value < min || value > max)
    return Error{ReasonCode::kRequestMalformed, "a query parameter is not a whole number in range", name};
  return value;
}

std::string QueryText(const Request& request, const std::string& name, std::string fallback) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? std::move(fallback) : found->second;
}

Result<std::optional<std::string>> QueryOptional(const Request& request, const std::string& name,
                                                 std::size_t max_length) {
  const auto found = request.query.find(name);
  if (found == request.query.end()) return std::optional<std::string>();
  if (found->second.size() > max_length)
    return Error{ReasonCode::kRequestMalformed, "a query parameter is too long", name};
  return std::optional(found->second);
}

}  // namespace portcullis::kbs

#include <cpprest/json.h>

#include <algorithm>
#include <cmath>
#include <mutex>

#include "codec/json.h"
#include "codec/json_scan.h"
#include "codec/utf8.h"

namespace portcullis::codec {
namespace {

constexpr std::size_t kLibraryDepth = 128;  // where web::json gives up by itself

Error Malformed(StaticText what) { return Error{ReasonCode::kRequestMalformed, what}; }

Result<> CheckBytes(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) return Malformed("JSON is too large");
  if (text.starts_with("\xEF\xBB\xBF")) return Malformed("JSON starts with a byte order mark");
  const std::size_t valid = ValidUtf8Prefix(text);
  if (valid != text.size())
    return Error{ReasonCode::kRequestMalformed, "JSON is not valid UTF-8", "offset " + std::to_string(valid)};
  return Done{};
}

/// web::json sorts members unless told otherwise, and only for the whole process.
void KeepMemberOrder() {
  static std::once_flag once;
  std::call_once(once, [] { web::json::keep_object_element_order(true); });
}

Result<web::json::value> BuildValues(std::string_view text) {
  KeepMemberOrder();
  try {
    std::error_code failure;
    web::json::value value = web::json::value::parse(std::string(text), failure);
    if (failure) return Malformed("JSON can't be read");
    return value;
  } catch (const std::exception&) {
    return Malformed("JSON can't be read");
  }
}

Result<Json> Convert(const web::json::value& value);

Result<Json> ConvertNumber(const web::json::number& number) {
  if (number.is_int64()) return Json(number.to_int64());
  if (number.is_uint64()) return Json(number.to_uint64());
  const double value = number.to_double();
  if (!std::isfinite(value)) return Malformed("JSON number is too large for a double");
  return Json(value);
}

Result<Json> ConvertArray(const web::json::array& array) {
  JsonArray out;
  out.reserve(array.size());
  for (const web::json::value& item : array) out.push_back(TRY(Convert(item)));
  return Json(std::move(out));
}

/// Which of two members counts is where two parsers disagree: neither does.
Result<> RefuseDuplicates(const JsonObject& object) {
  std::vector<std::string_view> names;
  names.reserve(object.size());
  for (const auto& [name, value] : object) names.push_back(name);
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice != names.end())
    return Error{ReasonCode::kRequestMalformed, "JSON object has a member twice", Quoted(*twice)};
  return Done{};
}

Result<Json> ConvertObject(const web::json::object& object) {
  JsonObject out;
  out.reserve(object.size());
  for (const auto& [name, value] : object) out.emplace_back(name, TRY(Convert(value)));
  TRY(RefuseDuplicates(out));
  return Json(std::move(out));
}

Result<Json> Convert(const web::json::value& value) {
  switch (value.type()) {
    case web::json::value::Null:
      return Json();
    case web::json::value::Boolean:
      return Json(value.as_bool());
    case web::json::value::String:
      return Json(value.as_string());
    case web::json::value::Number:
      return ConvertNumber(value.as_number());
    case web::json::value::Array:
      return ConvertArray(value.as_array());
    case web::json::value::Object:
      return ConvertObject(value.as_object());
  }
  return Malformed("JSON can't be read");
}

}  // namespace

Result<Json> ParseJson(std::string_view text, JsonLimits limits) {
  limits.max_depth = std::min(limits.max_depth, kLibraryDepth);
  TRY(CheckBytes(text, limits));
  TRY(ScanJson(text, limits));
  const web::json::value value = TRY(BuildValues(text));
  return Convert(value);
}

}  // namespace portcullis::codec

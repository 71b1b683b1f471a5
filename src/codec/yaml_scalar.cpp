#include "codec/yaml_scalar.h"

#include <algorithm>
#include <charconv>

namespace portcullis::codec {
namespace {

constexpr std::string_view kDecimal = "0123456789";

bool IsOneOf(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}

bool AllOf(std::string_view text, std::string_view allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

bool SkipSign(std::string_view& text) {
  if (!text.starts_with('-') && !text.starts_with('+')) return false;
  text.remove_prefix(1);
  return true;
}

std::size_t SkipDigits(std::string_view& text) {
  const std::size_t count = std::min(text.find_first_not_of(kDecimal), text.size());
  text.remove_prefix(count);
  return count;
}

/// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool IsFloat(std::string_view text) {
  SkipSign(text);
  std::size_t digits = SkipDigits(text);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    digits += SkipDigits(text);
  }
  if (digits == 0) return false;
  if (text.empty()) return true;
  if (!text.starts_with('e') && !text.starts_with('E')) return false;
  text.remove_prefix(1);
  SkipSign(text);
  return SkipDigits(text) > 0 && text.empty();
}

template <typename T>
std::optional<T> Whole(std::string_view digits, int base) {
  T value = 0;
  const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (status != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

Result<Json> Integer(std::string_view digits, int base, bool negative) {
  const std::string text = (negative ? "-" : "") + std::string(digits);
  if (const auto value = Whole<std::int64_t>(text, base)) return Json(*value);
  if (const auto value = Whole<std::uint64_t>(text, base)) return Json(*value);
  return Error{ReasonCode::kConfigurationInvalid, "integer needs more than 64 bits; quote it if it is text"};
}

Result<Json> Decimal(std::string_view text) {
  const bool negative = text.starts_with('-');
  SkipSign(text);
  if (text.size() > 1 && text.starts_with('0'))
    return Error{ReasonCode::kConfigurationInvalid, "integer starts with a zero; quote it if it is text"};
  return Integer(text, 10, negative);
}

Result<Json> Float(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);  // from_chars knows no plus
  double value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc())
    return Error{ReasonCode::kConfigurationInvalid,
                 "number is out of a double's range; quote it if it is text"};
  return Json(value);
}

}  // namespace

Result<Json> ResolvePlainScalar(std::string_view text) {
  if (IsOneOf(text, {"", "~", "null", "Null", "NULL"})) return Json();
  if (IsOneOf(text, {"true", "True", "TRUE"})) return Json(true);
  if (IsOneOf(text, {"false", "False", "FALSE"})) return Json(false);

  std::string_view unsigned_text = text;
  SkipSign(unsigned_text);
  if (AllOf(unsigned_text, kDecimal)) return Decimal(text);
  if (text.starts_with("0o") && AllOf(text.substr(2), "01234567")) return Integer(text.substr(2), 8, false);
  if (text.starts_with("0x") && AllOf(text.substr(2), "0123456789abcdefABCDEF"))
    return Integer(text.substr(2), 16, false);
  if (IsFloat(text)) return Float(text);
  if (IsOneOf(unsigned_text, {".inf", ".Inf", ".INF"}) || IsOneOf(text, {".nan", ".NaN", ".NAN"}))
    return Error{ReasonCode::kConfigurationInvalid, "infinity and NaN can't be used; quote it if it is text"};
  return Json(text);
}

bool IsSafePlainScalar(std::string_view text) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  constexpr std::string_view kInside =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@+-";
  if (text.empty() || !(kLetters.find(text.front()) != std::string_view::npos || text.front() == '/'))
    return false;
  if (!AllOf(text, kInside) || text.ends_with(':')) return false;

  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return !IsOneOf(lower, {"null", "true", "false", "yes", "no", "on", "off", "y", "n"});
}

}  // namespace portcullis::codec

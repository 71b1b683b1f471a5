#include "codec/json_number.h"

#include <charconv>
#include <cmath>

namespace portcullis::codec {
namespace {

/// A finite, positive double as 0.DIGITS times ten to the power of `point`, with the fewest digits that
/// identify it.
struct Decimal {
  std::string digits;
  int point;
};

Decimal Shortest(double value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  const std::string_view text(buffer, static_cast<std::size_t>(end - buffer));  // d.ddde+xx
  const auto mark = text.find('e');
  Decimal out{std::string(text.substr(0, mark)), 0};
  std::erase(out.digits, '.');
  const std::string_view exponent = text.substr(mark + (text[mark + 1] == '+' ? 2 : 1));
  std::from_chars(exponent.data(), exponent.data() + exponent.size(), out.point);
  ++out.point;
  return out;
}

/// ECMA-262 Number::toString, for radix 10; the cases stand in its order.
std::string Positive(double value) {
  auto [digits, point] = Shortest(value);
  const int count = static_cast<int>(digits.size());
  if (count <= point && point <= 21) return digits.append(static_cast<std::size_t>(point - count), '0');
  if (0 < point && point <= 21) return digits.insert(static_cast<std::size_t>(point), ".");
  if (-6 < point && point <= 0) return "0." + std::string(static_cast<std::size_t>(-point), '0') + digits;
  if (count > 1) digits.insert(1, ".");
  const int exponent = point - 1;
  return digits + (exponent < 0 ? "e-" : "e+") + std::to_string(std::abs(exponent));
}

std::string DoubleText(double value) {
  if (!std::isfinite(value)) return "null";
  if (value == 0) return "0";  // also minus zero
  return value < 0 ? "-" + Positive(-value) : Positive(value);
}

}  // namespace

std::string NumberText(const Json& number) {
  if (const auto value = number.if_int64()) return std::to_string(*value);
  if (const auto value = number.if_uint64()) return std::to_string(*value);
  if (const auto value = number.if_double()) return DoubleText(*value);
  return "null";
}

}  // namespace portcullis::codec

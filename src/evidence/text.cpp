#include "evidence/text.h"

#include <charconv>

namespace portcullis::evidence {

std::string HexNumber(std::uint64_t value) {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, value, 16).ptr;
  return "0x" + std::string(digits, end);
}

std::string FromReport(std::string value, std::string_view offset) {
  value += " (report@";
  value += offset;
  value += ")";
  return value;
}

}  // namespace portcullis::evidence

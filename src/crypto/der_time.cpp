#include "crypto/der_time.h"

#include <string_view>

namespace portcullis::crypto {
namespace {

constexpr std::uint8_t kUtcTime = 0x17;
constexpr std::uint8_t kGeneralizedTime = 0x18;

Error Malformed(StaticText text) { return Error{ReasonCode::kEvidenceMalformed, text}; }

/// The digits as a number; -1 where one is not a digit.
int Digits(std::string_view text) {
  int value = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return -1;
    value = value * 10 + (digit - '0');
  }
  return value;
}

}  // namespace

Result<WallTime> TakeDerTime(DerReader& in) {
  using std::chrono::day, std::chrono::month, std::chrono::year;
  const DerElement element = TRY(in.Next());
  std::string_view text = AsText(element.content);
  const std::size_t year_digits = element.tag == kUtcTime ? 2 : 4;
  if ((element.tag != kUtcTime && element.tag != kGeneralizedTime) || text.size() != year_digits + 11 ||
      text.back() != 'Z')
    return Malformed("validity is not in a form of RFC 5280");
  int parts[6];  // year, month, day, hour, minute, second
  for (std::size_t i = 0; i < 6; ++i) {
    const std::size_t width = i == 0 ? year_digits : 2;
    parts[i] = Digits(text.substr(0, width));
    if (parts[i] < 0) return Malformed("validity has characters other than digits");
    text.remove_prefix(width);
  }
  if (element.tag == kUtcTime) parts[0] += parts[0] < 50 ? 2000 : 1900;
  const std::chrono::year_month_day date{year(parts[0]), month(static_cast<unsigned>(parts[1])),
                                         day(static_cast<unsigned>(parts[2]))};
  if (!date.ok() || parts[3] > 23 || parts[4] > 59 || parts[5] > 59)
    return Malformed("validity is not a time");
  return WallTime(std::chrono::sys_days(date)) + std::chrono::hours(parts[3]) +
         std::chrono::minutes(parts[4]) + std::chrono::seconds(parts[5]);
}

bool IsDerTimeNext(const DerReader& in) {
  return in.PeekTag() == kUtcTime || in.PeekTag() == kGeneralizedTime;
}

}  // namespace portcullis::crypto

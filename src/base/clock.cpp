#include "base/clock.h"

#include <charconv>
#include <cstdio>

namespace portcullis {
namespace {

struct Parts {
  int year, month, day, hour, minute, second, millis;
};

Parts Split(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return {int(date.year()),
          int(unsigned(date.month())),
          int(unsigned(date.day())),
          int(clock.hours().count()),
          int(clock.minutes().count()),
          int(clock.seconds().count()),
          int(clock.subseconds().count())};
}

/// Writes `value` in decimal, with zeros in front, so that it ends before `end`.
void WriteDigits(std::string& out, std::size_t end, int value, std::size_t count) {
  for (std::size_t i = 1; i <= count; ++i, value /= 10) out[end - i] = static_cast<char>('0' + value % 10);
}

std::string FourDigitYear(const Parts& p) {
  std::string out = "0000-00-00T00:00:00Z";
  WriteDigits(out, 4, p.year, 4);
  WriteDigits(out, 7, p.month, 2);
  WriteDigits(out, 10, p.day, 2);
  WriteDigits(out, 13, p.hour, 2);
  WriteDigits(out, 16, p.minute, 2);
  WriteDigits(out, 19, p.second, 2);
  return out;
}

std::optional<int> Digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return std::nullopt;
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

}  // namespace

WallTime SystemClock::Now() const {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}
SteadyTime SystemClock::Steady() const { return std::chrono::steady_clock::now(); }

std::string FormatTimestamp(WallTime time) {
  const Parts p = Split(time);
  // Appraisals print a time in many of their rows: digits by hand cost a tenth of what printf takes.
  if (p.year >= 0 && p.year <= 9999) return FourDigitYear(p);
  char out[40];
  std::snprintf(out, sizeof out, "%04d-%02d-%02dT%02d:%02d:%02dZ", p.year, p.month, p.day, p.hour, p.minute,
                p.second);
  return out;
}

std::string FormatTimestampMicro(WallTime time) {
  const Parts p = Split(time);
  char out[48];
  std::snprintf(out, sizeof out, "%04d-%02d-%02dT%02d:%02d:%02d.%03d000Z", p.year, p.month, p.day, p.hour,
                p.minute, p.second, p.millis);
  return out;
}

Result<WallTime> ParseTimestamp(std::string_view text) {
  const Error malformed{ReasonCode::kRequestMalformed, "not an RFC 3339 time such as 2026-11-24T21:53:00Z",
                        Quoted(text)};
  const auto year = Digits(text, 0, 4), month = Digits(text, 5, 2), day = Digits(text, 8, 2);
  const auto hour = Digits(text, 11, 2), minute = Digits(text, 14, 2), second = Digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return malformed;
  if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't') || text[13] != ':' ||
      text[16] != ':')
    return malformed;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(unsigned(*month)),
                                         std::chrono::day(unsigned(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return malformed;

  std::size_t at = 19;
  int millis = 0;
  if (at < text.size() && text[at] == '.') {
    int scale = 100;
    const std::size_t first = ++at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10)
      millis += (text[at] - '0') * scale;
    if (at == first || at - first > 9) return malformed;
  }
  int offset_minutes = 0;
  if (at + 1 == text.size() && (text[at] == 'Z' || text[at] == 'z')) {
    // UTC
  } else if (at + 6 == text.size() && (text[at] == '+' || text[at] == '-') && text[at + 3] == ':') {
    const auto hours = Digits(text, at + 1, 2), minutes = Digits(text, at + 4, 2);
    if (!hours || !minutes || *hours > 23 || *minutes > 59) return malformed;
    offset_minutes = (*hours * 60 + *minutes) * (text[at] == '-' ? -1 : 1);
  } else {
    return malformed;
  }
  return WallTime(std::chrono::sys_days(date)) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second) + std::chrono::milliseconds(millis) -
         std::chrono::minutes(offset_minutes);
}

}  // namespace portcullis

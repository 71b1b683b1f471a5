#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace portcullis {

using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
using SteadyTime = std::chrono::steady_clock::time_point;

/// Time as a port. Wall time is for certificates, expiry and records; durations use steady time. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime Now() const = 0;
  virtual SteadyTime Steady() const = 0;
};

class SystemClock final : public Clock {
 public:
  WallTime Now() const override;
  SteadyTime Steady() const override;
};

/// RFC 3339 in UTC, "2026-11-24T21:53:00Z"; FormatTimestampMicro has six digits (Kubernetes MicroTime).
std::string FormatTimestamp(WallTime time);
std::string FormatTimestampMicro(WallTime time);
/// RFC 3339 with Z or offset and up to nine digits of fraction (cut to milliseconds). RequestMalformed
/// otherwise.
Result<WallTime> ParseTimestamp(std::string_view text);

}  // namespace portcullis

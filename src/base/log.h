#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/result.h"

namespace portcullis {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };

/// One key and its value in a log line. The value is escaped when written; never pass a secret.
struct LogField {
  std::string_view key;
  std::string value;
};

/// Writes one JSON line to stderr: time, level, message, fields. Messages are literals. Lines of level
/// warning and above with the same message are limited to 20 a minute each; what was held back is counted in
/// the next one
/// ("suppressed"), so that hostile input can't flood the log. Thread-safe.
void Log(LogLevel level, StaticText message, std::initializer_list<LogField> fields = {});
/// Lines below `level` are dropped. Default kInfo.
void SetLogLevel(LogLevel level);
Result<LogLevel> ParseLogLevel(std::string_view name);  // debug|info|warning|error

}  // namespace portcullis

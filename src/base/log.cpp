#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>

#include "base/clock.h"

namespace portcullis {
namespace {

constexpr int kLinesPerMinute = 20;
std::atomic<LogLevel> minimum_level{LogLevel::kInfo};

constexpr std::string_view kLevelNames[] = {"debug", "info", "warning", "error"};

void AppendJsonText(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

/// How many lines of this message were held back since the last, or -1 when this one must be too.
int Admit(std::string_view message) {
  struct Window {
    std::chrono::steady_clock::time_point start;
    int written = 0, suppressed = 0;
  };
  static std::mutex mutex;
  static std::map<std::string_view, Window> windows;  // keys are literals
  const std::lock_guard lock(mutex);
  Window& window = windows[message];
  const auto now = std::chrono::steady_clock::now();
  if (now - window.start > std::chrono::minutes(1)) {
    window.start = now;
    window.written = 0;
  }
  if (window.written >= kLinesPerMinute) {
    ++window.suppressed;
    return -1;
  }
  ++window.written;
  return std::exchange(window.suppressed, 0);
}

}  // namespace

void SetLogLevel(LogLevel level) { minimum_level = level; }

Result<LogLevel> ParseLogLevel(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kLevelNames); ++i)
    if (kLevelNames[i] == name) return static_cast<LogLevel>(i);
  return Error{ReasonCode::kConfigurationInvalid, "log level is one of debug, info, warning, error",
               Quoted(name)};
}

void Log(LogLevel level, StaticText message, std::initializer_list<LogField> fields) {
  if (level < minimum_level.load()) return;
  const int suppressed = level >= LogLevel::kWarning ? Admit(message.view()) : 0;
  if (suppressed < 0) return;

  std::string line = "{\"time\":\"" + FormatTimestampMicro(SystemClock().Now()) + "\",\"level\":\"";
  line += kLevelNames[static_cast<std::size_t>(level)];
  line += "\",\"message\":";
  AppendJsonText(line, message.view());
  for (const LogField& field : fields) {
    line += ',';
    AppendJsonText(line, field.key);
    line += ':';
    AppendJsonText(line, field.value);
  }
  if (suppressed > 0) line += ",\"suppressed\":" + std::to_string(suppressed);
  line += "}\n";
  // One write a line: lines of several threads don't mix. A log that can't be written stops nothing.
  (void)!write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace portcullis

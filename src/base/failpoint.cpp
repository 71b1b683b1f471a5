// The behaviour of fail points. Only libraries built with PORTCULLIS_FAILPOINTS refer to it, so the linker
// leaves it out of production executables.
#define PORTCULLIS_FAILPOINTS
#include "base/failpoint.h"

#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace portcullis {
namespace {

struct Trigger {
  std::string action;
  int passes_left = 1;
};

std::map<std::string, Trigger, std::less<>> ReadTriggers() {
  std::map<std::string, Trigger, std::less<>> out;
  const char* text = std::getenv("PORTCULLIS_FAILPOINT");
  std::string_view rest = text == nullptr ? "" : text;
  while (!rest.empty()) {
    const auto end = rest.find(';');
    const std::string_view entry = rest.substr(0, end);
    rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
    const auto equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    Trigger trigger{std::string(entry.substr(equals + 1))};
    if (const auto at = trigger.action.find('@'); at != std::string::npos) {
      trigger.passes_left = std::atoi(trigger.action.c_str() + at + 1);
      trigger.action.resize(at);
    }
    out.emplace(entry.substr(0, equals), trigger);
  }
  return out;
}

}  // namespace

Result<> FailPoint(std::string_view name) {
  static std::mutex mutex;
  static auto triggers = ReadTriggers();
  std::string action;
  {
    const std::lock_guard lock(mutex);
    const auto found = triggers.find(name);
    if (found == triggers.end() || --found->second.passes_left != 0) return Done{};
    action = found->second.action;
  }
  if (action == "kill") kill(getpid(), SIGKILL);
  if (action == "pause") std::this_thread::sleep_for(std::chrono::seconds(5));
  if (action.starts_with("delay:"))
    std::this_thread::sleep_for(std::chrono::milliseconds(std::atoi(action.c_str() + 6)));
  if (action == "error") return Error{ReasonCode::kInternalError, "fail point"};
  return Done{};
}

}  // namespace portcullis

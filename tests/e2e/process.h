#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace portcullis::e2e {

/// A child process whose output goes to a file. Killed when the object goes.
class Process {
 public:
  struct Command {
    std::vector<std::string> arguments;              // the first is the program's path
    std::map<std::string, std::string> environment;  // beside ours
    std::filesystem::path log;                       // stdout and stderr, appended
  };
  static Result<Process> Start(const Command& command);
  Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Process& operator=(Process&& other) noexcept;
  ~Process();

  pid_t pid() const { return pid_; }
  bool running();
  /// The exit code, or 128 + the signal; nullopt where it still runs after `limit`.
  std::optional<int> Wait(std::chrono::milliseconds limit);
  void Signal(int signal) const;
  /// TERM, then KILL after `grace`.
  void Stop(std::chrono::milliseconds grace = std::chrono::seconds(10));

 private:
  explicit Process(pid_t pid) : pid_(pid) {}
  pid_t pid_ = -1;
};

struct Finished {
  int exit_code;
  std::string output;  // stdout alone; stderr goes to the log
};
/// Runs to the end. `input` goes to stdin.
Result<Finished> RunCommand(const std::vector<std::string>& arguments, const std::filesystem::path& log,
                            const std::map<std::string, std::string>& environment = {},
                            std::string_view input = "");

/// A TCP port on loopback that is free at this moment.
std::uint16_t FreePort();

/// Polls `condition` every 50 ms up to `limit`; whether it came true.
bool Eventually(std::chrono::milliseconds limit, const std::function<bool()>& condition);

std::string ReadText(const std::filesystem::path& path);
void WriteText(const std::filesystem::path& path, std::string_view text, int mode = 0600);

}  // namespace portcullis::e2e

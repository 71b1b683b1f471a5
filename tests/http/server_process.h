#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/http/memory.h"
#include "tests/http/raw_connection.h"

extern char** environ;

namespace portcullis::http::test {

inline constexpr std::size_t kConnectionsPerPeer = 250;  // few enough for a test to have more at once
inline constexpr const char* kPortFile = "PORTCULLIS_BATTERY_PORT_FILE";

/// A server in its own process (this very program, started again; server_process_test.cpp), seen from
/// outside.
class ServerProcess {
 public:
  explicit ServerProcess(rlim_t max_files = 0) {
    char folder[] = "/tmp/portcullis-battery-XXXXXX";
    folder_ = mkdtemp(folder);
    const std::string port_file = folder_ + "/port";
    std::vector<char*> environment;
    const std::string variable = std::string(kPortFile) + "=" + port_file;
    for (char** one = environ; *one != nullptr; ++one) environment.push_back(*one);
    environment.push_back(const_cast<char*>(variable.c_str()));
    environment.push_back(nullptr);
    const char* arguments[] = {"test_http", "--gtest_filter=BatteryServer.*",
                               "--gtest_also_run_disabled_tests", "--gtest_brief=1", nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 2, (folder_ + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                     0600);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    const int failed = posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, const_cast<char**>(arguments),
                                   environment.data());
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) return;
    if (max_files != 0) {
      const rlimit limit{max_files, max_files};
      prlimit(pid_, RLIMIT_NOFILE, &limit, nullptr);
    }
    for (int i = 0; i < 3000 && !std::filesystem::exists(port_file); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    std::ifstream(port_file) >> port_;
  }
  ~ServerProcess() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    std::filesystem::remove_all(folder_);
  }
  ServerProcess(const ServerProcess&) = delete;

  std::uint16_t port() const { return port_; }
  bool alive() const { return pid_ > 0 && waitpid(pid_, nullptr, WNOHANG) == 0; }
  std::size_t open_files() const {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(Proc("fd"))) ++count;
    return count;
  }
  long resident_kib() const {
    long total = 0, resident = 0;
    std::ifstream(Proc("statm")) >> total >> resident;
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
  }
  double cpu_seconds() const {
    std::ifstream stat(Proc("stat"));
    std::string field;
    for (int i = 0; i < 13; ++i) stat >> field;
    double user = 0, system = 0;
    stat >> user >> system;
    return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
  }
  std::string log() const {
    std::ostringstream text;
    text << std::ifstream(folder_ + "/log").rdbuf();
    return text.str();
  }

  RawResponse Ask(std::string_view path) const {
    RawConnection connection(port_);
    connection.Send(Get(path));
    return connection.Next().value_or(RawResponse{});
  }
  /// What was served and refused so far, by the server's own count.
  double counted() const {
    double sum = 0;
    std::istringstream lines(Ask("/metrics").body);
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with("portcullis_http_requests_total{") ||
          line.starts_with("portcullis_http_rejected_total{"))
        sum += std::stod(line.substr(line.find('}') + 1));
    return sum;
  }

 private:
  std::string Proc(const char* what) const { return "/proc/" + std::to_string(pid_) + "/" + what; }

  std::string folder_;
  pid_t pid_ = -1;
  std::uint16_t port_ = 0;
};

}  // namespace portcullis::http::test

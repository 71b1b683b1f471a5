#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <functional>

namespace portcullis::test {

/// Runs `body` in a forked process and gives its exit status, or 128 + signal where one ended it. The caller
/// must have no threads.
inline int RunInChild(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) std::abort();
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// A forked process that runs until it is killed, and a pipe from it. The caller must have no threads.
class KillableChild {
 public:
  explicit KillableChild(const std::function<void(int pipe)>& body) {
    int ends[2];
    if (pipe(ends) != 0) std::abort();
    child_ = fork();
    if (child_ == 0) {
      close(ends[0]);
      body(ends[1]);
      _exit(0);
    }
    if (child_ < 0) std::abort();
    close(ends[1]);
    pipe_ = ends[0];
  }
  ~KillableChild() {
    Kill();
    close(pipe_);
  }
  KillableChild(const KillableChild&) = delete;
  KillableChild& operator=(const KillableChild&) = delete;

  int pipe_end() const { return pipe_; }
  /// SIGKILL, as a power button for the process; what it wrote into the pipe can still be read.
  void Kill() {
    if (child_ <= 0) return;
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
    child_ = 0;
  }

 private:
  pid_t child_ = 0;
  int pipe_ = -1;
};

}  // namespace portcullis::test

// Fail points as a test build sees them. Triggers are read once a process, so each case is a child of its
// own.
#define PORTCULLIS_FAILPOINTS
#include "base/failpoint.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace portcullis {
namespace {

/// How many of ten passes of the point "step" were let through before one failed; 100 + signal where it
/// killed.
int PassesWith(const char* triggers) {
  const pid_t child = fork();
  if (child == 0) {
    setenv("PORTCULLIS_FAILPOINT", triggers, 1);
    int passes = 0;
    while (passes < 10 && FailPoint("step")) ++passes;
    _exit(passes);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

TEST(EnabledFailPoint, FiresOnceAtTheNamedPass) {
  EXPECT_EQ(PassesWith("step=error"), 0);
  EXPECT_EQ(PassesWith("step=error@1"), 0);
  EXPECT_EQ(PassesWith("step=error@3"), 2);
  EXPECT_EQ(PassesWith("other=kill;step=error@2"), 1);
}

TEST(EnabledFailPoint, KillsTheProcess) { EXPECT_EQ(PassesWith("step=kill"), 100 + SIGKILL); }

TEST(EnabledFailPoint, LetsPassWhatIsNotNamed) {
  for (const char* triggers :
       {"", ";", "step", "other=kill", "steps=kill", "step=unknown", "step=delay:1", "step=error@99"})
    EXPECT_EQ(PassesWith(triggers), 10) << triggers;
}

}  // namespace
}  // namespace portcullis

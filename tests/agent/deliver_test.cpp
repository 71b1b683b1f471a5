#include "agent/deliver.h"

#include <grp.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace portcullis::agent {
namespace {

namespace fs = std::filesystem;

SecretBytes Key(std::string_view text) { return SecretBytes::CopyOf(AsBytes(text)); }

std::string ReadText(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class DeliverAsFileTest : public ::testing::Test {
 protected:
  DeliverAsFileTest() {
    std::string name = "/dev/shm/portcullis-agent-XXXXXX";
    directory = mkdtemp(name.data());
  }
  ~DeliverAsFileTest() override { fs::remove_all(directory); }
  std::size_t Count() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), {}));
  }
  std::string directory;
};

TEST_F(DeliverAsFileTest, WritesAFileThatOnlyItsOwnerReads) {
  ASSERT_TRUE(DeliverAsFile(Key("secret"), directory, "llama"));
  EXPECT_EQ(ReadText(directory + "/llama"), "secret");
  struct stat status {};
  ASSERT_EQ(stat((directory + "/llama").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0400u);
  EXPECT_EQ(Count(), 1u) << "nothing else may stay behind";
}

TEST_F(DeliverAsFileTest, LetsTheGroupReadWhereAskedTo) {
  const mode_t before = umask(077);
  const auto delivered = DeliverAsFile(Key("secret"), directory, "llama", {.group = true});
  umask(before);
  ASSERT_TRUE(delivered);
  struct stat status {};
  ASSERT_EQ(stat((directory + "/llama").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0440u);
}

TEST_F(DeliverAsFileTest, LeavesNothingWhereTheFileCanNotBeGivenAway) {
  // Root gives files away; whoever is not root has no such right.
  const pid_t child = fork();
  if (child == 0) {
    if (geteuid() == 0 && (chmod(directory.c_str(), 0777) != 0 || setgroups(0, nullptr) != 0 ||
                           setgid(4001) != 0 || setuid(4001) != 0))
      _exit(1);
    const auto delivered = DeliverAsFile(Key("secret"), directory, "llama", {.owner = 4002});
    _exit(!delivered && delivered.error().code == ReasonCode::kInternalError ? 0 : 2);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(Count(), 0u);
}

/// Who can read a delivered file is for the kernel to say. The test must be root to become somebody.
class ReadersOfTheFile : public DeliverAsFileTest {
 protected:
  static constexpr uid_t kUser = 4001, kOther = 4002;
  static constexpr gid_t kPodGroup = 4500;  // fsGroup: each process of the pod has it

  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    // As kubelet makes an emptyDir: for all without fsGroup, with it the group's, who hands it on.
    ASSERT_EQ(chmod(directory.c_str(), 0777), 0);
  }
  void HandOnTheGroup() {
    ASSERT_EQ(chown(directory.c_str(), 0, kPodGroup), 0);
    ASSERT_EQ(chmod(directory.c_str(), 02777), 0);
  }
  bool CanRead(uid_t user, bool in_pod_group = false) const {
    const pid_t child = fork();
    if (child == 0) {
      const gid_t group = kPodGroup;
      if (setgroups(in_pod_group ? 1 : 0, &group) != 0 || setgid(user) != 0 || setuid(user) != 0) _exit(2);
      std::ifstream in(directory + "/llama", std::ios::binary);
      _exit(in && std::string(std::istreambuf_iterator<char>(in), {}) == "secret" ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) != 2);
    return WEXITSTATUS(status) == 0;
  }
};

TEST_F(ReadersOfTheFile, AreRootAloneByDefault) {
  ASSERT_TRUE(DeliverAsFile(Key("secret"), directory, "llama"));
  EXPECT_FALSE(CanRead(kUser, true));
}

TEST_F(ReadersOfTheFile, AreItsOwnerAlone) {
  HandOnTheGroup();
  ASSERT_TRUE(DeliverAsFile(Key("secret"), directory, "llama", {.owner = kUser}));
  EXPECT_TRUE(CanRead(kUser));
  EXPECT_FALSE(CanRead(kOther, true));
}

TEST_F(ReadersOfTheFile, AreThePodsGroupWhereAskedTo) {
  HandOnTheGroup();
  ASSERT_TRUE(DeliverAsFile(Key("secret"), directory, "llama", {.owner = kUser, .group = true}));
  EXPECT_TRUE(CanRead(kUser));
  EXPECT_TRUE(CanRead(kOther, true));
  EXPECT_FALSE(CanRead(kOther)) << "who is not of the pod";
}

TEST_F(ReadersOfTheFile, GetANewKeyInPlaceOfTheOld) {
  ASSERT_TRUE(DeliverAsFile(Key("old"), directory, "llama", {.owner = kUser}));
  ASSERT_TRUE(DeliverAsFile(Key("secret"), directory, "llama", {.owner = kUser}));
  EXPECT_TRUE(CanRead(kUser));
}

TEST_F(DeliverAsFileTest, ReplacesAnEarlierKeyAndAnEarlierAttempt) {
  std::ofstream(directory + "/.portcullis-new") << "half of a";
  ASSERT_TRUE(DeliverAsFile(Key("old"), directory, "llama"));
  ASSERT_TRUE(DeliverAsFile(Key("new"), directory, "llama"));
  EXPECT_EQ(ReadText(directory + "/llama"), "new");
  EXPECT_EQ(Count(), 1u);
}

TEST_F(DeliverAsFileTest, ReplacesALinkAndNeverFollowsIt) {
  std::ofstream(directory + "/elsewhere") << "untouched";
  fs::create_symlink(directory + "/elsewhere", directory + "/llama");
  fs::create_symlink(directory + "/elsewhere", directory + "/.portcullis-new");
  ASSERT_TRUE(DeliverAsFile(Key("secret"), directory, "llama"));
  EXPECT_EQ(ReadText(directory + "/elsewhere"), "untouched");
  EXPECT_FALSE(fs::is_symlink(directory + "/llama"));
}

TEST_F(DeliverAsFileTest, TakesTheLongestNameOfAModelKey) {
  EXPECT_TRUE(DeliverAsFile(Key("secret"), directory, std::string(253, 'a')));
  EXPECT_FALSE(DeliverAsFile(Key("secret"), directory, std::string(254, 'a')));
}

TEST_F(DeliverAsFileTest, RefusesNamesThatLeaveTheDirectory) {
  for (const char* name : {"", ".", "..", "../llama", "a/b", "/etc/llama", ".hidden"}) {
    const auto delivered = DeliverAsFile(Key("secret"), directory, name);
    ASSERT_FALSE(delivered) << name;
    EXPECT_EQ(delivered.error().code, ReasonCode::kConfigurationInvalid);
  }
  EXPECT_EQ(Count(), 0u);
}

TEST_F(DeliverAsFileTest, LeavesNothingWhereTheNameIsADirectory) {
  fs::create_directory(directory + "/llama");
  const auto delivered = DeliverAsFile(Key("secret"), directory, "llama");
  ASSERT_FALSE(delivered);
  EXPECT_EQ(delivered.error().code, ReasonCode::kInternalError);
  EXPECT_EQ(Count(), 1u);
}

TEST(DeliverAsFile, NeverWritesToAnythingButMemory) {
  for (const char* elsewhere : {"/proc/self", "/sys"}) {
    const auto delivered = DeliverAsFile(Key("secret"), elsewhere, "llama");
    ASSERT_FALSE(delivered) << elsewhere;
    EXPECT_EQ(delivered.error().code, ReasonCode::kConfigurationInvalid) << delivered.error().ToString();
    EXPECT_NE(delivered.error().text.view().find("tmpfs"), std::string_view::npos);
  }
}

TEST(DeliverAsFile, SaysThatTheDirectoryIsMissing) {
  const auto delivered = DeliverAsFile(Key("secret"), "/dev/shm/portcullis-no-such-directory", "llama");
  ASSERT_FALSE(delivered);
  EXPECT_EQ(delivered.error().code, ReasonCode::kInternalError);
}

/// What a command that got a key wrote to its standard output, and how it ended.
struct Ran {
  std::string output;
  int exit_code;
};
Ran RunWithKey(const std::vector<std::string>& command) {
  int ends[2];
  if (pipe(ends) != 0) return {"no pipe", -1};
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    const Error error = DeliverByExec(Key("the key"), command);
    _exit(error.code == ReasonCode::kConfigurationInvalid ? 102 : 101);
  }
  close(ends[1]);
  Ran ran{"", -1};
  char buffer[256];
  for (ssize_t count; (count = read(ends[0], buffer, sizeof buffer)) > 0;)
    ran.output.append(buffer, static_cast<std::size_t>(count));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status)) ran.exit_code = WEXITSTATUS(status);
  return ran;
}

TEST(DeliverByExec, HandsTheKeyToTheCommandOnADescriptor) {
  const Ran ran = RunWithKey({"/bin/sh", "-c", "cat /dev/fd/$PORTCULLIS_KEY_FD; exit 7"});
  EXPECT_EQ(ran.output, "the key");
  EXPECT_EQ(ran.exit_code, 7) << "the command takes the agent's place";
}

TEST(DeliverByExec, PutsTheKeyIntoNeitherArgumentsNorEnvironment) {
  const Ran ran =
      RunWithKey({"/bin/sh", "-c", "cat /proc/$$/cmdline /proc/$$/environ | grep -c 't[h]e key'"});
  EXPECT_EQ(ran.output, "0\n");
}

TEST(DeliverByExec, HandsOverAFileThatNobodyChanges) {
  const Ran ran =
      RunWithKey({"/bin/sh", "-c",
                  "(echo other > /dev/fd/$PORTCULLIS_KEY_FD) 2>/dev/null; cat /dev/fd/$PORTCULLIS_KEY_FD"});
  EXPECT_EQ(ran.output, "the key");
}

TEST(DeliverByExec, FindsTheCommandOnThePathAndPassesArgumentsAsTheyAre) {
  EXPECT_EQ(RunWithKey({"printf", "%s|", "a b", "", "$HOME"}).output, "a b||$HOME|");
}

TEST(DeliverByExec, ReturnsWhereTheCommandCanNotRun) {
  EXPECT_EQ(RunWithKey({"/no/such/command"}).exit_code, 101);
  EXPECT_EQ(RunWithKey({}).exit_code, 102);
}

}  // namespace
}  // namespace portcullis::agent

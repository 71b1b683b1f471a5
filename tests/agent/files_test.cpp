#include "agent/files.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "agent/tsm.h"
#include "tests/lab/launch_state.h"
#include "tests/support/seeded_random.h"

namespace portcullis::agent {
namespace {

namespace fs = std::filesystem;

void WriteText(const fs::path& path, std::string_view text) { std::ofstream(path, std::ios::binary) << text; }

std::string ReadText(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class OnDisk : public ::testing::Test {
 protected:
  OnDisk() {
    std::string name = (fs::temp_directory_path() / "portcullis-agent-XXXXXX").string();
    root = mkdtemp(name.data());
  }
  ~OnDisk() override { fs::remove_all(root); }
  std::string In(std::string_view name) const { return (root / name).string(); }
  fs::path root;
  SystemFiles files;
};

TEST_F(OnDisk, ReadsAndWritesWholeFiles) {
  WriteText(root / "inblob", "");
  ASSERT_TRUE(files.Write(In("inblob"), AsBytes("hello")));
  EXPECT_EQ(ToText(files.Read(In("inblob"), 5).value()), "hello");
}

TEST_F(OnDisk, NeverMakesAnAttributeThatTheKernelDidNot) {
  const auto written = files.Write(In("inblob"), AsBytes("hello"));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ReasonCode::kNotFound);
  EXPECT_FALSE(fs::exists(root / "inblob"));
}

TEST_F(OnDisk, RefusesAFileOneByteAboveTheLimit) {
  WriteText(root / "outblob", "123456");
  EXPECT_TRUE(files.Read(In("outblob"), 6));
  EXPECT_EQ(files.Read(In("outblob"), 5).error().code, ReasonCode::kEvidenceMalformed);
}

TEST_F(OnDisk, TellsAMissingPathFromOtherDefects) {
  EXPECT_EQ(files.Read(In("absent"), 5).error().code, ReasonCode::kNotFound);
  EXPECT_EQ(files.RemoveDirectory(In("absent")).error().code, ReasonCode::kNotFound);
  EXPECT_EQ(files.MakeDirectory(In("absent/below")).error().code, ReasonCode::kNotFound);
  EXPECT_EQ(files.Read(root.string(), 5).error().code, ReasonCode::kInternalError);        // EISDIR
  EXPECT_EQ(files.MakeDirectory(root.string()).error().code, ReasonCode::kInternalError);  // EEXIST
}

TEST_F(OnDisk, TellsWhatThisUserMayNotDo) {
  // In /sys nobody makes directories: EPERM, or EROFS as containers have it.
  ASSERT_EQ(chmod(root.c_str(), 0500), 0);
  const bool is_root = geteuid() == 0;
  const auto made = files.MakeDirectory(In("below"));
  ASSERT_EQ(static_cast<bool>(made), is_root);
  if (!is_root) {
    EXPECT_EQ(made.error().code, ReasonCode::kConfigurationInvalid);
  }
  EXPECT_EQ(files.MakeDirectory("/sys/portcullis").error().code, ReasonCode::kConfigurationInvalid);
  ASSERT_EQ(chmod(root.c_str(), 0700), 0);
}

/// The directory as configfs fills it: mkdir makes the attributes, a write to inblob counts, rmdir takes all.
class ConfigfsOnDisk final : public Files {
 public:
  bool with_auxblob = true;
  int strangers_writes = 0;  // so many times another process writes after our reading of outblob
  std::string last_directory;

  Result<> MakeDirectory(const std::string& path) override {
    TRY(files_.MakeDirectory(path));
    last_directory = path;
    WriteText(fs::path(path) / "provider", "sev_guest\n");
    WriteText(fs::path(path) / "generation", "0\n");
    WriteText(fs::path(path) / "inblob", "");
    WriteText(fs::path(path) / "outblob", "");
    if (with_auxblob) WriteText(fs::path(path) / "auxblob", "certificates");
    return Done{};
  }
  Result<> RemoveDirectory(const std::string& path) override {
    for (const char* name : {"provider", "generation", "inblob", "outblob", "auxblob"})
      fs::remove(fs::path(path) / name);
    return files_.RemoveDirectory(path);
  }
  Result<> Write(const std::string& path, Bytes content) override {
    TRY(files_.Write(path, content));
    const fs::path directory = fs::path(path).parent_path();
    WriteText(directory / "outblob", "report over " + ToText(content));
    Count(directory);
    return Done{};
  }
  Result<ByteBuffer> Read(const std::string& path, std::size_t max_bytes) override {
    auto content = files_.Read(path, max_bytes);
    if (path.ends_with("/outblob") && strangers_writes > 0) {
      --strangers_writes;
      Count(fs::path(path).parent_path());
    }
    return content;
  }

 private:
  static void Count(const fs::path& directory) {
    WriteText(directory / "generation",
              std::to_string(std::stoi(ReadText(directory / "generation")) + 1) + "\n");
  }
  SystemFiles files_;
};

class TsmOnDisk : public OnDisk {
 protected:
  ConfigfsOnDisk configfs;
  test::SeededRandom random;
  const ReportData asked = lab::LaunchState::Filled<ReportData>('x');
  Result<TsmReport> Report() {
    return Tsm(
               configfs, random, [](std::chrono::milliseconds) {}, root.string())
        .Report(asked);
  }
};

TEST_F(TsmOnDisk, TakesAReportAndLeavesNothingBehind) {
  const auto report = Report();
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(report->provider, "sev_guest");
  EXPECT_EQ(ToText(report->outblob), "report over " + std::string(64, 'x'));
  EXPECT_EQ(ToText(report->auxblob), "certificates");
  EXPECT_TRUE(fs::is_empty(root));
}

TEST_F(TsmOnDisk, AsksAgainWhenTheGenerationMoved) {
  configfs.strangers_writes = 3;
  ASSERT_TRUE(Report());
  configfs.strangers_writes = 8;
  EXPECT_EQ(Report().error().code, ReasonCode::kOverloaded);
  EXPECT_TRUE(fs::is_empty(root));
}

TEST_F(TsmOnDisk, DoesWithoutAuxblob) {
  configfs.with_auxblob = false;
  const auto report = Report();
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_TRUE(report->auxblob.empty());
}

TEST_F(TsmOnDisk, SaysThatConfigfsIsNotMounted) {
  SystemFiles real;
  const auto report = Tsm(
                          real, random, [](std::chrono::milliseconds) {}, In("not-mounted"))
                          .Report(asked);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ReasonCode::kNotFound);
}

}  // namespace
}  // namespace portcullis::agent

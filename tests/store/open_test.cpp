#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "tests/store/child_process.h"
#include "tests/store/counter.h"
#include "tests/store/temporary_directory.h"

namespace portcullis::store {
namespace {

using test::OpenNumbers;
using test::RunInChild;
using test::TemporaryDirectory;

void RunSql(const std::string& path, const char* sql) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(database);
  sqlite3_close(database);
}

mode_t ModeOf(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

class OpenTest : public testing::Test {
 protected:
  void ExpectRefused(ReasonCode code = ReasonCode::kConfigurationInvalid) {
    const auto store = OpenSqlite(path_);
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, code) << store.error().ToString();
    EXPECT_NE(store.error().ToString().find(path_), std::string::npos) << store.error().ToString();
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_.File("state.db");
};

TEST_F(OpenTest, MakesFilesThatOnlyTheOwnerCanRead) {
  const mode_t old = umask(0);
  const auto store = OpenNumbers(path_);
  umask(old);
  ASSERT_TRUE(test::Write(*store, 1));
  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) EXPECT_EQ(ModeOf(path_ + suffix), 0600u) << suffix;
}

TEST_F(OpenTest, TakesAwayTheGroupBitsThatAVolumeGotAtItsMount) {
  OpenNumbers(path_).reset();
  chmod(path_.c_str(), 0660);
  const auto store = OpenNumbers(path_);
  EXPECT_EQ(ModeOf(path_), 0600u);
}

TEST_F(OpenTest, RunsWithAWriteAheadLogThatIsSyncedAtEachCommit) {
  const auto store = OpenNumbers(path_);
  ASSERT_TRUE(store->Write([](Transaction& transaction) -> Result<> {
    EXPECT_EQ(TextOf(TRY(transaction.Query("PRAGMA journal_mode", {})).at(0).at(0)), "wal");
    EXPECT_EQ(IntegerOf(TRY(transaction.Query("PRAGMA synchronous", {})).at(0).at(0)), 2);
    EXPECT_EQ(IntegerOf(TRY(transaction.Query("PRAGMA foreign_keys", {})).at(0).at(0)), 1);
    EXPECT_EQ(IntegerOf(TRY(transaction.Query("PRAGMA secure_delete", {})).at(0).at(0)), 1);
    EXPECT_EQ(IntegerOf(TRY(transaction.Query("PRAGMA trusted_schema", {})).at(0).at(0)), 0);
    return Done{};
  }));
}

TEST_F(OpenTest, RefusesASecondOpenerUntilTheFirstIsGone) {
  auto first = OpenNumbers(path_);
  ExpectRefused();
  EXPECT_EQ(RunInChild([this] {
              const auto second = OpenSqlite(path_);
              return !second && second.error().code == ReasonCode::kConfigurationInvalid ? 0 : 1;
            }),
            0);
  first.reset();
  EXPECT_TRUE(OpenSqlite(path_));
}

TEST_F(OpenTest, RefusesADirectoryThatIsNotThere) {
  path_ = directory_.File("absent/state.db");
  ExpectRefused();
  EXPECT_FALSE(std::filesystem::exists(directory_.File("absent")));
}

TEST_F(OpenTest, RefusesASymbolicLink) {
  OpenNumbers(directory_.File("other.db")).reset();
  std::filesystem::create_symlink(directory_.File("other.db"), path_);
  ExpectRefused();
}

TEST_F(OpenTest, RefusesADirectoryInTheFilesPlace) {
  std::filesystem::create_directory(path_);
  ExpectRefused();
}

TEST_F(OpenTest, RefusesAFileThatIsNoDatabase) {
  test::WriteFile(path_, std::string(8192, 'x'));
  ExpectRefused();
  EXPECT_EQ(test::ReadFile(path_), std::string(8192, 'x'));
}

TEST_F(OpenTest, RefusesTheDatabaseOfAnotherProgram) {
  RunSql(path_, "CREATE TABLE theirs (a)");
  ExpectRefused();
  EXPECT_FALSE(OpenSqliteReadOnly(path_));
}

TEST_F(OpenTest, RefusesASchemaFromTheFuture) {
  OpenNumbers(path_).reset();
  RunSql(path_, "PRAGMA user_version=3");
  ExpectRefused();
  RunSql(path_, "PRAGMA user_version=2");
  EXPECT_TRUE(OpenSqlite(path_));
}

TEST_F(OpenTest, RefusesASchemaFromThePastAndSaysSo) {
  OpenNumbers(path_).reset();
  RunSql(path_, "PRAGMA user_version=1");
  const auto store = OpenSqlite(path_);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ReasonCode::kConfigurationInvalid);
  EXPECT_NE(store.error().ToString().find("older release"), std::string::npos);
}

TEST_F(OpenTest, RefusesAFileThatItMayNotWrite) {
  OpenNumbers(path_).reset();
  // Root may write everything: become someone else who owns the directory.
  const int status = RunInChild([this] {
    chmod(path_.c_str(), 0400);
    constexpr uid_t kNobody = 65534;
    if (geteuid() == 0) {
      for (const auto& entry : std::filesystem::directory_iterator(directory_.path()))
        if (chown(entry.path().c_str(), kNobody, kNobody) != 0) return 2;
      if (chown(directory_.path().c_str(), kNobody, kNobody) != 0) return 2;
      if (setresuid(kNobody, kNobody, kNobody) != 0) return 2;
    }
    const auto store = OpenSqlite(path_);
    if (store || store.error().code != ReasonCode::kConfigurationInvalid) return 1;
    chmod(path_.c_str(), 0600);
    return OpenSqlite(path_) ? 0 : 3;
  });
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace portcullis::store

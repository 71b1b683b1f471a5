#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "tests/store/child_process.h"
#include "tests/store/counter.h"
#include "tests/store/faulty_disk.h"
#include "tests/store/temporary_directory.h"

namespace portcullis::store {
namespace {

using test::Numbers;
using test::OpenNumbers;
using test::RunInChild;

class FaultTest : public testing::Test {
 protected:
  test::TemporaryDirectory directory_;
  std::string path_ = directory_.File("state.db");
};

void ExpectUnavailable(const Result<>& result) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ReasonCode::kAuditUnavailable) << result.error().ToString();
}

struct Fault {
  const char* name;
  void (test::FaultyDisk::*fail)(int, int);
  int code;
};

class DiskFaultTest : public FaultTest, public testing::WithParamInterface<Fault> {};

TEST_P(DiskFaultTest, LatchesKeepsReadingLosesNothingAndRecoversAtReopening) {
  test::FaultyDisk disk;
  auto store = OpenNumbers(path_);
  ASSERT_TRUE(test::Write(*store, 1));

  (disk.*GetParam().fail)(1, GetParam().code);
  ExpectUnavailable(test::Write(*store, 2));
  EXPECT_TRUE(store->latched());
  // The disk works again, and still nothing is believed until a restart.
  ExpectUnavailable(test::Write(*store, 3));
  EXPECT_EQ(Numbers(*store), std::vector<std::int64_t>{1});

  store.reset();
  store = OpenNumbers(path_);
  EXPECT_FALSE(store->latched());
  ASSERT_TRUE(test::Write(*store, 4));
  const auto numbers = Numbers(*store);
  EXPECT_EQ(numbers.front(), 1);
  EXPECT_EQ(numbers.back(), 4);
  EXPECT_EQ(std::ranges::count(numbers, 3), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Faults, DiskFaultTest,
    testing::Values(Fault{"SyncError", &test::FaultyDisk::FailSync, SQLITE_IOERR_FSYNC},
                    Fault{"WriteError", &test::FaultyDisk::FailWrite, SQLITE_IOERR_WRITE},
                    Fault{"DiskFull", &test::FaultyDisk::FailWrite, SQLITE_FULL},
                    Fault{"BecameReadOnly", &test::FaultyDisk::FailWrite, SQLITE_READONLY}),
    [](const auto& fault) { return fault.param.name; });

TEST_F(FaultTest, ABodyThatShrugsOffAnIoErrorDoesNotSucceed) {
  test::FaultyDisk disk;
  auto store = OpenNumbers(path_);
  ASSERT_TRUE(store->Migrate("big", {"CREATE TABLE big (value BLOB) STRICT"}));
  disk.FailWrite(1, SQLITE_FULL);
  ExpectUnavailable(store->Write([](Transaction& transaction) -> Result<> {
    // Larger than the page cache, so that it is written before the commit.
    for (int i = 0; i < 8; ++i)
      (void)transaction.Execute("INSERT INTO big (value) VALUES (?)", {ByteBuffer(1 << 20, std::byte{1})});
    return Done{};
  }));
  EXPECT_TRUE(store->latched());
}

TEST_F(FaultTest, ABodyThatShrugsOffACorruptPageDoesNotSucceedEither) {
  test::FaultyDisk disk;
  OpenNumbers(path_).reset();
  auto store = OpenSqlite(path_);  // its page cache is cold
  ASSERT_TRUE(store);
  ExpectUnavailable((*store)->Write([&](Transaction& transaction) -> Result<> {
    (void)TRY(transaction.Query("SELECT name FROM migrations", {}));  // reads the schema
    disk.FailRead(1, SQLITE_CORRUPT);
    EXPECT_FALSE(transaction.Query("SELECT value FROM numbers", {}));
    return Done{};
  }));
  EXPECT_TRUE((*store)->latched());
}

TEST_F(FaultTest, AFailedCheckpointLatchesThoughTheCommitHeld) {
  test::FaultyDisk disk;
  auto store = OpenNumbers(path_);
  ASSERT_TRUE(store->Migrate("big", {"CREATE TABLE big (value BLOB) STRICT"}));
  const auto write_big = [](Transaction& transaction) -> Result<> {
    TRY(transaction.Execute("INSERT INTO big (value) VALUES (?)", {ByteBuffer(5 << 20, std::byte{1})}));
    return Done{};
  };
  // The first sync is the commit's, the second the checkpoint's.
  disk.FailSync(2, SQLITE_IOERR_FSYNC);
  EXPECT_TRUE(store->Write(write_big));
  ExpectUnavailable(test::Write(*store, 1));
  EXPECT_TRUE(store->latched());
}

TEST_F(FaultTest, ACorruptPageFoundByAReaderLatches) {
  {
    auto store = OpenNumbers(path_);
    ASSERT_TRUE(store->Write([](Transaction& transaction) -> Result<> {
      for (std::int64_t i = 0; i < 5000; ++i) TRY(test::Insert(transaction, i));
      return Done{};
    }));
  }
  std::string bytes = test::ReadFile(path_);
  ASSERT_GT(bytes.size(), 4096u * 6);
  std::fill(bytes.begin() + 4096 * 3, bytes.end(), '\x55');
  test::WriteFile(path_, bytes);
  auto store = OpenSqlite(path_);
  ASSERT_TRUE(store);
  EXPECT_FALSE((*store)->Read([](Transaction& transaction) -> Result<> {
    (void)TRY(transaction.Query("SELECT value FROM numbers ORDER BY place", {}));
    return Done{};
  }));
  EXPECT_TRUE((*store)->latched());
}

TEST_F(FaultTest, AFileSizeLimitLatchesAndTheFileIsWholeAfterwards) {
  const test::TemporaryDirectory directory(test::FastDirectory());
  path_ = directory.File("state.db");
  const int status = RunInChild([this] {
    auto store = OpenNumbers(path_);
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{256 * 1024, 256 * 1024};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 2;
    std::int64_t written = 0;
    while (test::Write(*store, written)) ++written;
    if (!store->latched() || written == 0) return 3;
    if (test::Write(*store, -1)) return 4;
    if (Numbers(*store).size() != static_cast<std::size_t>(written)) return 5;
    test::WriteFile(directory_.File("written"), std::to_string(written));
    return 0;
  });
  ASSERT_EQ(status, 0);
  const auto numbers = Numbers(*OpenNumbers(path_));
  EXPECT_GE(numbers.size(), std::stoul(test::ReadFile(directory_.File("written"))));
  for (std::size_t i = 0; i < numbers.size(); ++i) ASSERT_EQ(numbers[i], static_cast<std::int64_t>(i));
}

TEST_F(FaultTest, AnExceptionFromABodyEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto store = OpenNumbers(path_);
  EXPECT_DEATH((void)store->Write([](Transaction&) -> Result<> { throw 1; }), "");
}

}  // namespace
}  // namespace portcullis::store

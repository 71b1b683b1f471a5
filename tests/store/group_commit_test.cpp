#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <latch>
#include <thread>

#include "tests/store/counter.h"
#include "tests/store/faulty_disk.h"
#include "tests/store/temporary_directory.h"

namespace portcullis::store {
namespace {

using test::Insert;
using test::Numbers;
using test::OpenNumbers;

constexpr int kWriters = 16;

class GroupCommitTest : public testing::Test {
 protected:
  test::TemporaryDirectory directory_;
  test::FaultyDisk disk_;
  std::string path_ = directory_.File("state.db");
  std::unique_ptr<Store> store_ = OpenNumbers(path_);
};

/// Holds the writer inside a body of its own while `queue_up` starts threads that write; then lets it go.
void WhileWriterIsBusy(Store& store, const std::function<void()>& queue_up) {
  std::promise<void> started, release;
  std::thread busy([&] {
    EXPECT_TRUE(store.Write([&](Transaction&) -> Result<> {
      started.set_value();
      release.get_future().wait();
      return Done{};
    }));
  });
  started.get_future().wait();
  queue_up();
  release.set_value();
  busy.join();
}

TEST_F(GroupCommitTest, ConcurrentWritersAreAllDurableEachInItsOwnOrder) {
  constexpr std::int64_t kEach = 50;
  std::vector<std::thread> writers;
  for (std::int64_t w = 0; w < kWriters; ++w)
    writers.emplace_back([this, w] {
      for (std::int64_t i = 0; i < kEach; ++i) EXPECT_TRUE(test::Write(*store_, w * 1000 + i));
    });
  for (auto& writer : writers) writer.join();
  store_.reset();

  const auto numbers = Numbers(*OpenNumbers(path_));
  EXPECT_EQ(numbers.size(), kWriters * static_cast<std::size_t>(kEach));
  std::vector<std::int64_t> next(kWriters, 0);
  for (const std::int64_t number : numbers) {
    const auto writer = static_cast<std::size_t>(number / 1000);
    EXPECT_EQ(number % 1000, next[writer]++);
  }
}

TEST_F(GroupCommitTest, WritersThatWaitTogetherShareASync) {
  const int before = disk_.syncs();
  std::vector<std::thread> writers;
  std::latch queued(kWriters);
  WhileWriterIsBusy(*store_, [&] {
    for (int w = 0; w < kWriters; ++w)
      writers.emplace_back([&, w] {
        queued.count_down();
        EXPECT_TRUE(test::Write(*store_, w));
      });
    queued.wait();
    // Each is a few instructions from the queue; that some come late only makes another group.
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  });
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(Numbers(*store_).size(), static_cast<std::size_t>(kWriters));
  EXPECT_LT(disk_.syncs() - before, kWriters);
}

TEST_F(GroupCommitTest, AnErrorInAGroupUndoesItsOwnBodyOnly) {
  std::vector<std::thread> writers;
  std::atomic<int> refused = 0;
  WhileWriterIsBusy(*store_, [&] {
    for (int w = 0; w < kWriters; ++w)
      writers.emplace_back([&, w] {
        const auto result = store_->Write([w](Transaction& transaction) -> Result<> {
          TRY(Insert(transaction, w));
          if (w % 2 == 1) return Error{ReasonCode::kRevoked, "odd"};
          return Done{};
        });
        if (!result && result.error().code == ReasonCode::kRevoked) ++refused;
      });
  });
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(refused, kWriters / 2);
  const auto numbers = Numbers(*store_);
  EXPECT_EQ(numbers.size(), kWriters / 2u);
  EXPECT_TRUE(std::ranges::all_of(numbers, [](std::int64_t n) { return n % 2 == 0; }));
}

TEST_F(GroupCommitTest, ASyncThatFailsFailsEveryWriteThatRestedOnIt) {
  std::vector<std::thread> writers;
  std::atomic<int> unavailable = 0;
  disk_.FailSync(1, SQLITE_IOERR_FSYNC);
  std::promise<void> started, release;
  std::thread first([&] {
    const auto result = store_->Write([&](Transaction& transaction) -> Result<> {
      started.set_value();
      release.get_future().wait();
      return Insert(transaction, 100);
    });
    if (!result && result.error().code == ReasonCode::kAuditUnavailable) ++unavailable;
  });
  started.get_future().wait();
  for (int w = 0; w < kWriters; ++w)
    writers.emplace_back([&, w] {
      // Also those that would fail for a reason of their own: it rests on what is not durable.
      const auto result = store_->Write([w](Transaction& transaction) -> Result<> {
        TRY(Insert(transaction, w));
        return Error{ReasonCode::kRevoked, "no"};
      });
      if (!result && result.error().code == ReasonCode::kAuditUnavailable) ++unavailable;
    });
  release.set_value();
  first.join();
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(unavailable, kWriters + 1);
  EXPECT_TRUE(store_->latched());
}

TEST_F(GroupCommitTest, ClosingCommitsWhatIsQueued) {
  std::thread writer([this] { EXPECT_TRUE(test::Write(*store_, 1)); });
  writer.join();
  store_.reset();
  EXPECT_EQ(Numbers(*OpenNumbers(path_)), std::vector<std::int64_t>{1});
}

TEST_F(GroupCommitTest, ReadersDoNotWaitForTheWriter) {
  ASSERT_TRUE(test::Write(*store_, 1));
  WhileWriterIsBusy(*store_, [this] { EXPECT_EQ(Numbers(*store_).size(), 1u); });
}

TEST_F(GroupCommitTest, MoreReadersThanConnectionsAllGetTheirTurn) {
  ASSERT_TRUE(test::Write(*store_, 1));
  std::vector<std::thread> readers;
  for (int r = 0; r < kWriters; ++r)
    readers.emplace_back([this] {
      for (int i = 0; i < 20; ++i) EXPECT_EQ(Numbers(*store_).size(), 1u);
    });
  for (auto& reader : readers) reader.join();
}

TEST_F(GroupCommitTest, TheWriteAheadLogDoesNotGrowWithoutEnd) {
  ASSERT_TRUE(store_->Migrate("big", {"CREATE TABLE big (value BLOB) STRICT"}));
  const ByteBuffer megabyte(1 << 20, std::byte{1});
  for (int i = 0; i < 40; ++i)
    ASSERT_TRUE(store_->Write([&](Transaction& transaction) -> Result<> {
      TRY(transaction.Execute("INSERT INTO big (value) VALUES (?)", {megabyte}));
      return Done{};
    }));
  EXPECT_LT(std::filesystem::file_size(path_ + "-wal"), 16u << 20);
  EXPECT_GT(std::filesystem::file_size(path_), 20u << 20);
}

}  // namespace
}  // namespace portcullis::store

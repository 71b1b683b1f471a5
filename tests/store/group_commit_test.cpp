#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <future>
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

/// Starts a thread and returns when it sleeps: it has queued its write and waits for the answer.
std::thread QueuedThread(std::function<void()> run) {
  std::promise<pid_t> started;
  std::thread thread([run = std::move(run), &started] {
    started.set_value(gettid());
    run();
  });
  const std::string status = "/proc/self/task/" + std::to_string(started.get_future().get()) + "/stat";
  const auto sleeps = [&status] {
    const std::string text = test::ReadFile(status);
    return text.substr(text.rfind(')') + 1, 2) == " S";
  };
  while (!sleeps()) std::this_thread::yield();
  return thread;
}

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
  WhileWriterIsBusy(*store_, [&] {
    for (int w = 0; w < kWriters; ++w)
      writers.push_back(QueuedThread([this, w] { EXPECT_TRUE(test::Write(*store_, w)); }));
  });
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(Numbers(*store_).size(), static_cast<std::size_t>(kWriters));
  EXPECT_EQ(disk_.syncs() - before, 1);
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
  WhileWriterIsBusy(*store_, [&] {
    for (int w = 0; w < kWriters; ++w)
      writers.push_back(QueuedThread([&, w] {
        const auto result = store_->Write([w](Transaction& transaction) -> Result<> {
          TRY(Insert(transaction, w));
          // Also those with an answer of their own: it may rest on what is not durable.
          if (w % 2 == 1) return Error{ReasonCode::kRevoked, "odd"};
          return Done{};
        });
        if (!result && result.error().code == ReasonCode::kAuditUnavailable) ++unavailable;
      }));
    disk_.FailSync(1, SQLITE_IOERR_FSYNC);
  });
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(unavailable, kWriters);
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

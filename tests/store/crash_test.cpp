#include <gtest/gtest.h>

#include <atomic>
#include <climits>
#include <iostream>
#include <random>
#include <thread>

#include "tests/store/child_process.h"
#include "tests/store/counter.h"
#include "tests/store/faulty_disk.h"
#include "tests/store/temporary_directory.h"

namespace portcullis::store {
namespace {

using test::Numbers;
using test::OpenNumbers;
using test::TemporaryDirectory;

unsigned PrintedSeed() {
  const unsigned seed = std::random_device{}();
  std::cout << "seed: " << seed << std::endl;
  return seed;
}

// Writes numbers from `next` on, and says so in the pipe once each is acknowledged.
void WriteForEver(const std::string& path, std::int64_t next, int pipe) {
  auto store = OpenSqlite(path);
  if (!store) _exit(1);
  for (;; ++next) {
    if (!test::Write(**store, next)) _exit(2);
    if (write(pipe, &next, sizeof next) != static_cast<ssize_t>(sizeof next)) _exit(3);
  }
}

/// Reads what is acknowledged, at most `count` numbers; the last one, or `last` where there is none.
std::int64_t ReadAcknowledged(int pipe, int count, std::int64_t last) {
  std::int64_t number = last;
  for (; count > 0 && read(pipe, &number, sizeof number) == static_cast<ssize_t>(sizeof number); --count)
    last = number;
  return last;
}

TEST(CrashTest, NoAcknowledgedCommitIsLostWhenTheProcessIsKilled) {
  constexpr int kKills = 200;
  // A killed process leaves its writes to the kernel, whatever is below; power is cut in the next test.
  const TemporaryDirectory directory(test::FastDirectory());
  const std::string path = directory.File("state.db");
  OpenNumbers(path).reset();
  std::mt19937 random(PrintedSeed());
  std::int64_t next = 0;
  for (int kill = 0; kill < kKills; ++kill) {
    test::KillableChild child([&](int pipe) { WriteForEver(path, next, pipe); });
    // Some while it opens, most anywhere in a commit.
    std::int64_t acknowledged = ReadAcknowledged(child.pipe_end(), static_cast<int>(random() % 20), next - 1);
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 1000));
    child.Kill();
    acknowledged = ReadAcknowledged(child.pipe_end(), INT_MAX, acknowledged);
    const auto numbers = Numbers(*OpenNumbers(path));
    const auto found = static_cast<std::int64_t>(numbers.size());
    ASSERT_GE(found, acknowledged + 1) << "kill " << kill;
    ASSERT_LE(found, acknowledged + 2) << "kill " << kill;  // one more may be durable with nobody told
    for (std::int64_t i = 0; i < found; ++i) ASSERT_EQ(numbers[static_cast<std::size_t>(i)], i);
    next = found;
  }
  EXPECT_GT(next, kKills) << "the kills came too early to say anything";
}

// A power cut keeps what was synced and any part of what was not.
TEST(CrashTest, NoAcknowledgedCommitIsLostWhenThePowerIsCut) {
  constexpr int kCuts = 150;
  constexpr std::int64_t kWrites = 12;
  std::mt19937 random(PrintedSeed());
  int pictures = 0;
  for (int cut = 0; cut < kCuts; ++cut) {
    const TemporaryDirectory before(test::FastDirectory()), after(test::FastDirectory());
    std::atomic<std::int64_t> acknowledged = 0;
    std::int64_t acknowledged_at_cut = -1;
    {
      test::FaultyDisk disk;
      const auto store = OpenNumbers(before.File("state.db"));
      const auto at_cut = [&] { acknowledged_at_cut = acknowledged; };
      disk.CutPower(1 + static_cast<int>(random() % 60), static_cast<unsigned>(random()), at_cut);
      for (std::int64_t i = 0; i < kWrites; ++i) {
        ASSERT_TRUE(test::Write(*store, i));
        ++acknowledged;
      }
      if (!disk.Restore(after.path())) continue;
    }
    ++pictures;
    const auto numbers = Numbers(*OpenNumbers(after.File("state.db")));
    ASSERT_GE(static_cast<std::int64_t>(numbers.size()), acknowledged_at_cut) << "cut " << cut;
    for (std::size_t i = 0; i < numbers.size(); ++i) ASSERT_EQ(numbers[i], static_cast<std::int64_t>(i));
  }
  EXPECT_GT(pictures, kCuts / 4) << "the cuts came too late to say anything";
}

}  // namespace
}  // namespace portcullis::store

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "tests/audit/log_fixture.h"

namespace portcullis::audit {
namespace {

using test::Decision;
using test::kOrigin;
using test::LogFixture;
using test::SeedOf;

class AuditLogTest : public LogFixture {};

TEST_F(AuditLogTest, NumbersRowsFromOneAndChainsThem) {
  AppendMany(3);
  const auto rows = log_->Rows(0, 10);
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 3u);
  EXPECT_TRUE(rows->at(0).previous.IsZero());
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(rows->at(i).sequence, static_cast<std::int64_t>(i) + 1);
    if (i == 0) continue;
    EXPECT_EQ(rows->at(i).previous, rows->at(i - 1).leaf);
  }
  EXPECT_TRUE(VerifyRows(Texts(), key_, {}).intact);
}

TEST_F(AuditLogTest, ARowOfARolledBackTransactionLeavesNoGap) {
  AppendMany(2);
  const auto refused = store_->Write([this](store::Transaction& transaction) -> Result<> {
    EXPECT_EQ(TRY(log_->Append(transaction, Decision("lost"))), 3);
    return Error{ReasonCode::kChallengeReused, "no"};
  });
  EXPECT_FALSE(refused);
  EXPECT_EQ(*Append(Decision("kept")), 3);
  EXPECT_EQ(Texts().size(), 3u);
  EXPECT_TRUE(VerifyRows(Texts(), key_, {CheckpointNow()}).intact);
}

TEST_F(AuditLogTest, SeveralRowsInOneTransactionAreChainedToo) {
  ASSERT_TRUE(store_->Write([this](store::Transaction& transaction) -> Result<> {
    EXPECT_EQ(TRY(log_->Append(transaction, Decision("a"))), 1);
    EXPECT_EQ(TRY(log_->Append(transaction, Decision("b"))), 2);
    return Done{};
  }));
  EXPECT_TRUE(VerifyRows(Texts(), key_, {CheckpointNow()}).intact);
}

TEST_F(AuditLogTest, ConcurrentAppendsAndCheckpointsMakeOneChain) {
  constexpr int kThreads = 8, kEach = 25;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([this, t] {
      for (int i = 0; i < kEach; ++i)
        EXPECT_TRUE(Append(Decision(std::to_string(t) + "-" + std::to_string(i))));
    });
  std::vector<std::string> notes;
  for (int i = 0; i < 20; ++i) notes.push_back(CheckpointNow());
  for (auto& thread : threads) thread.join();
  notes.push_back(CheckpointNow());

  const VerifyReport report = VerifyRows(Texts(), key_, notes);
  EXPECT_TRUE(report.intact) << report.problem;
  EXPECT_EQ(report.rows, kThreads * kEach);
  EXPECT_EQ(report.signed_rows, kThreads * kEach);
}

TEST_F(AuditLogTest, ACheckpointCoversAllRowsAndIsMadeOnlyWhereTheLogHasGrown) {
  EXPECT_EQ(CheckpointNow(), "");
  AppendMany(5);
  const std::string first = CheckpointNow();
  EXPECT_EQ(VerifyCheckpoint(first, key_)->size, 5);
  EXPECT_EQ(CheckpointNow(), first);
  AppendMany(1);
  EXPECT_EQ(VerifyCheckpoint(CheckpointNow(), key_)->size, 6);
}

TEST_F(AuditLogTest, GoesOnWhereItWasAfterReopening) {
  AppendMany(5);
  const std::string note = CheckpointNow();
  AppendMany(2);
  Open();
  EXPECT_EQ(*log_->LatestCheckpoint(), note);
  EXPECT_EQ(*Append(Decision("after")), 8);
  EXPECT_EQ(VerifyCheckpoint(CheckpointNow(), key_)->size, 8);
  EXPECT_TRUE(VerifyRows(Texts(), key_, {note, *log_->LatestCheckpoint()}).intact);
}

TEST_F(AuditLogTest, PublishesACheckpointOnlyWhenItIsStored) {
  AppendMany(3);
  const std::string note = CheckpointNow();
  AppendMany(1);
  Close();
  Tamper("CREATE TRIGGER full BEFORE INSERT ON audit_checkpoints BEGIN SELECT RAISE(ABORT, 'no'); END");
  Open();
  EXPECT_FALSE(log_->Checkpoint());
  EXPECT_EQ(*log_->LatestCheckpoint(), note);
}

TEST_F(AuditLogTest, KeepsAFewOldCheckpointsOnly) {
  for (int i = 0; i < 70; ++i) {
    ASSERT_TRUE(Append(Decision("r")));
    CheckpointNow();
  }
  ASSERT_TRUE(store_->Read([](store::Transaction& transaction) -> Result<> {
    const auto rows = TRY(transaction.Query("SELECT count(*), max(size) FROM audit_checkpoints", {}));
    EXPECT_EQ(store::IntegerOf(rows.at(0).at(0)), 64);
    EXPECT_EQ(store::IntegerOf(rows.at(0).at(1)), 70);
    return Done{};
  }));
  EXPECT_TRUE(Reopened());
}

TEST_F(AuditLogTest, ARowIsNeverBeforeTheOneInFrontOfIt) {
  const WallTime start = clock_.Now();
  ASSERT_TRUE(Append(Decision("a")));
  clock_.SetWallTime(start - std::chrono::hours(1));
  ASSERT_TRUE(Append(Decision("b")));
  Open();  // the rule outlives the process
  ASSERT_TRUE(Append(Decision("c")));
  EXPECT_TRUE(VerifyRows(Texts(), key_, {}).intact);
  EXPECT_NE(Texts().back().find(FormatTimestampMicro(start)), std::string::npos);
}

TEST_F(AuditLogTest, HandsOutRowsInPages) {
  AppendMany(5);
  const auto page = log_->Rows(2, 2);
  ASSERT_TRUE(page);
  ASSERT_EQ(page->size(), 2u);
  EXPECT_EQ(page->front().sequence, 3);
  EXPECT_TRUE(log_->Rows(5, 10)->empty());
}

TEST_F(AuditLogTest, ItsOwnStatementsCanNotChangeOrDeleteRows) {
  AppendMany(1);
  EXPECT_FALSE(store_->Write([](store::Transaction& transaction) -> Result<> {
    TRY(transaction.Execute("UPDATE audit_rows SET canonical = ''", {}));
    return Done{};
  }));
  EXPECT_FALSE(store_->Write([](store::Transaction& transaction) -> Result<> {
    TRY(transaction.Execute("DELETE FROM audit_rows", {}));
    return Done{};
  }));
  EXPECT_EQ(Texts().size(), 1u);
}

TEST_F(AuditLogTest, RefusesAnotherKeyAndAnotherOriginThanItWasBegunWith) {
  AppendMany(1);
  CheckpointNow();
  const auto other_key = Log::Open(*store_, clock_, std::string(kOrigin), SeedOf(9));
  ASSERT_FALSE(other_key);
  EXPECT_EQ(other_key.error().code, ReasonCode::kAuditUnavailable);
  const auto other_origin = Log::Open(*store_, clock_, "portcullis.test/replica/2", SeedOf());
  ASSERT_FALSE(other_origin);
  EXPECT_EQ(other_origin.error().code, ReasonCode::kConfigurationInvalid);
}

TEST_F(AuditLogTest, RefusesAnOriginThatNoNoteCanCarry) {
  for (const std::string& origin :
       {std::string(), std::string("a b"), std::string("a+b"), std::string("a\nb"), std::string(256, 'a')}) {
    const auto log = Log::Open(*store_, clock_, origin, SeedOf());
    ASSERT_FALSE(log);
    EXPECT_EQ(log.error().code, ReasonCode::kConfigurationInvalid);
  }
}

// A sane broker never does this; a restored or edited file under a running one looks like it.
TEST_F(AuditLogTest, ALogThatIsChangedUnderItsFeetIsNeitherSignedNorWrittenAnyMore) {
  AppendMany(3);
  const std::string note = CheckpointNow();
  AppendMany(2);
  Tamper("UPDATE audit_rows SET canonical = replace(canonical, 'request-0', 'request-9') WHERE sequence = 4");
  const auto refused = log_->Checkpoint();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ReasonCode::kAuditUnavailable);
  EXPECT_EQ(*log_->LatestCheckpoint(), note);
  EXPECT_FALSE(Append(Decision("more")));
}

TEST_F(AuditLogTest, ACheckpointThatIsNotItsOwnStopsIt) {
  AppendMany(3);
  CheckpointNow();
  AppendMany(1);
  Tamper("INSERT INTO audit_checkpoints (size, note) VALUES (4, 'fork')");
  EXPECT_FALSE(log_->Checkpoint());
  EXPECT_FALSE(Append(Decision("more")));
}

}  // namespace
}  // namespace portcullis::audit

#include <gtest/gtest.h>

#include <thread>

#include "audit/row.h"
#include "tests/audit/log_fixture.h"
#include "tests/store/child_process.h"

namespace portcullis::audit {
namespace {

using test::LogFixture;

struct Tampering {
  const char* name;
  const char* sql;
  std::int64_t first_bad;  // what `portcullis audit verify` names
  bool stops_start;        // whether the broker refuses to start: it reads again what no checkpoint covers
};

class TamperedDatabaseTest : public LogFixture, public testing::WithParamInterface<Tampering> {};

// Ten rows, of which a checkpoint covers six.
TEST_P(TamperedDatabaseTest, IsFound) {
  AppendMany(6);
  CheckpointNow();
  AppendMany(4);
  Close();
  ASSERT_TRUE(VerifyDatabase(path_, key_, {})->intact);
  Tamper(GetParam().sql);

  const auto report = VerifyDatabase(path_, key_, {});
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_FALSE(report->intact);
  EXPECT_EQ(report->first_bad, GetParam().first_bad) << report->problem;
  EXPECT_EQ(!Reopened(), GetParam().stops_start);
}

INSTANTIATE_TEST_SUITE_P(
    Database, TamperedDatabaseTest,
    testing::Values(
        Tampering{"TextOfASignedRow",
                  "UPDATE audit_rows SET canonical = replace(canonical, 'allow', 'deny') WHERE sequence = 3",
                  3, false},
        Tampering{"TextOfTheLastSignedRow",
                  "UPDATE audit_rows SET canonical = replace(canonical, 'allow', 'deny') WHERE sequence = 6",
                  6, true},
        Tampering{"TextOfAnUnsignedRow",
                  "UPDATE audit_rows SET canonical = replace(canonical, 'allow', 'deny') WHERE sequence = 8",
                  8, true},
        Tampering{"LeafOfASignedRow", "UPDATE audit_rows SET leaf = zeroblob(32) WHERE sequence = 3", 3,
                  true},
        Tampering{"FirstRowDeleted", "DELETE FROM audit_rows WHERE sequence = 1", 1, true},
        Tampering{"MiddleRowDeleted", "DELETE FROM audit_rows WHERE sequence = 4", 4, true},
        Tampering{"UnsignedRowDeleted", "DELETE FROM audit_rows WHERE sequence = 8", 8, true},
        Tampering{"CutOffBelowTheCheckpoint", "DELETE FROM audit_rows WHERE sequence > 4", 5, true},
        Tampering{"AllDeleted", "DELETE FROM audit_rows", 1, true},
        Tampering{"RowsSwapped",
                  "UPDATE audit_rows SET sequence = 100 WHERE sequence = 2;"
                  "UPDATE audit_rows SET sequence = 2 WHERE sequence = 3;"
                  "UPDATE audit_rows SET sequence = 3 WHERE sequence = 100",
                  2, true},
        Tampering{
            "RowDuplicated",
            "INSERT INTO audit_rows SELECT 11, canonical, leaf, previous FROM audit_rows WHERE sequence = 10",
            11, true},
        Tampering{"RowMovedToTheEnd", "UPDATE audit_rows SET sequence = 12 WHERE sequence = 10", 10, false},
        Tampering{"CheckpointForged", "UPDATE audit_checkpoints SET note = replace(note, '6', '5')", 0,
                  true}),
    [](const auto& tampering) { return tampering.param.name; });

class AuditDatabaseTest : public LogFixture {};

TEST_F(AuditDatabaseTest, VerifiesWhileTheBrokerRuns) {
  AppendMany(5);
  CheckpointNow();
  const auto report = VerifyDatabase(path_, key_, {});
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_TRUE(report->intact) << report->problem;
  EXPECT_EQ(report->rows, 5);
  EXPECT_EQ(report->signed_rows, 5);
}

TEST_F(AuditDatabaseTest, AnOlderCopyInItsPlaceIsFoundByACheckpointKeptElsewhere) {
  AppendMany(3);
  CheckpointNow();
  Close();
  const std::string older = test::ReadFile(path_);
  Open();
  AppendMany(2);
  const std::string kept = CheckpointNow();
  Close();
  ASSERT_TRUE(VerifyDatabase(path_, key_, {kept})->intact);

  test::WriteFile(path_, older);
  EXPECT_TRUE(VerifyDatabase(path_, key_, {})->intact) << "its own checkpoint is of the same age";
  const auto report = VerifyDatabase(path_, key_, {kept});
  ASSERT_TRUE(report);
  EXPECT_FALSE(report->intact);
  EXPECT_EQ(report->first_bad, 4);
}

TEST_F(AuditDatabaseTest, ACheckpointFromBeforeIsStillMetByALongerLog) {
  AppendMany(3);
  const std::string kept = CheckpointNow();
  AppendMany(2);
  CheckpointNow();
  EXPECT_TRUE(VerifyDatabase(path_, key_, {kept})->intact);
  EXPECT_FALSE(VerifyDatabase(path_, crypto::Ed25519PublicOf(test::SeedOf(9)), {})->intact);
}

TEST_F(AuditDatabaseTest, SaysWhyItCanNotReadOne) {
  EXPECT_FALSE(VerifyDatabase(directory_.File("absent.db"), key_, {}));
  EXPECT_FALSE(VerifyJsonLines(directory_.File("absent.jsonl"), key_, {}));
}

class AuditLinesTest : public LogFixture {
 protected:
  VerifyReport VerifyText(const std::string& text) {
    const std::string path = directory_.File("audit.jsonl");
    test::WriteFile(path, text);
    const auto report = VerifyJsonLines(path, key_, {*log_->LatestCheckpoint()});
    EXPECT_TRUE(report);
    return *report;
  }
};

TEST_F(AuditLinesTest, VerifiesAnExportedLogAndRefusesWhatIsNotRows) {
  AppendMany(3);
  CheckpointNow();
  std::string text;
  for (const std::string& row : Texts()) text += row + "\n";
  EXPECT_TRUE(VerifyText(text).intact);
  EXPECT_TRUE(VerifyText(text.substr(0, text.size() - 1)).intact) << "the last line need not end";
  EXPECT_EQ(VerifyText(text + "\n").first_bad, 4);
  EXPECT_EQ(VerifyText("\n" + text).first_bad, 1);
  EXPECT_EQ(VerifyText(text + std::string(2 * kMaxRowBytes, 'a')).first_bad, 4);
  EXPECT_EQ(VerifyText(text.substr(0, text.find('\n') + 1)).first_bad, 2);
  EXPECT_FALSE(VerifyText("").intact);
}

TEST_F(AuditLinesTest, ALineOfExactlyTheLimitIsReadAndOneMoreIsNot) {
  test::FakeClock clock;
  audit::Entry entry = test::Decision("r");
  entry.detail = "";
  const std::size_t rest = MakeRow(1, {}, clock.Now(), entry)->canonical.size();
  entry.detail = std::string(kMaxRowBytes - rest, 'a');
  const std::string largest = MakeRow(1, {}, clock.Now(), entry)->canonical;
  ASSERT_EQ(largest.size(), kMaxRowBytes);
  EXPECT_TRUE(VerifyText(largest + "\n").intact);
  std::string larger = largest;
  larger.insert(larger.find("aa"), "a");
  EXPECT_FALSE(VerifyText(larger + "\n").intact);
}

// kill -9 at any moment: what was acknowledged is there, the chain is whole, a published checkpoint holds.
TEST_F(AuditDatabaseTest, KillingTheProcessLosesNoAcknowledgedRowAndNoPublishedCheckpoint) {
  Close();
  std::int64_t rows = 0;
  std::vector<std::string> published;
  for (int kill = 0; kill < 60; ++kill) {
    test::KillableChild child([this](int pipe) {
      Open();
      for (std::int64_t covered = 0;;) {
        const std::int64_t sequence = *Append(test::Decision("r"));
        if (sequence % 3 == 0 && log_->Checkpoint()) covered = sequence;
        const std::int64_t message[] = {sequence, covered};
        if (write(pipe, message, sizeof message) != static_cast<ssize_t>(sizeof message)) _exit(1);
      }
    });
    std::int64_t message[] = {rows, 0};
    for (int i = 0; i < kill % 10; ++i)
      if (read(child.pipe_end(), message, sizeof message) <= 0) break;
    std::this_thread::sleep_for(std::chrono::microseconds(kill * 37 % 1000));
    child.Kill();
    while (read(child.pipe_end(), message, sizeof message) > 0) {
    }
    const auto report = VerifyDatabase(path_, key_, published);
    ASSERT_TRUE(report) << report.error().ToString();
    ASSERT_TRUE(report->intact) << report->problem;
    ASSERT_GE(report->rows, message[0]);
    ASSERT_GE(report->signed_rows, message[1]);
    rows = report->rows;
    Open();
    if (rows > 0) published.push_back(*log_->LatestCheckpoint());
    Close();
  }
  EXPECT_GT(rows, 60);
}

}  // namespace
}  // namespace portcullis::audit

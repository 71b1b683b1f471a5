#include <gtest/gtest.h>

#include "audit/merkle.h"
#include "audit/row.h"
#include "tests/audit/log_fixture.h"

namespace portcullis::audit {
namespace {

using test::LogFixture;

constexpr int kSigned = 6;      // rows that the older checkpoint covers
constexpr int kAllSigned = 10;  // rows that the newer one covers
constexpr int kRows = 12;

/// A log of twelve rows, with checkpoints at six and at ten.
class TamperTest : public LogFixture {
 protected:
  void SetUp() override {
    LogFixture::SetUp();
    AppendMany(kSigned);
    older_ = CheckpointNow();
    AppendMany(kAllSigned - kSigned);
    newer_ = CheckpointNow();
    AppendMany(kRows - kAllSigned);
    rows_ = Texts();
  }

  VerifyReport Verify(const std::vector<std::string>& rows) const {
    return VerifyRows(rows, key_, {older_, newer_});
  }
  void ExpectBad(const std::vector<std::string>& rows, std::int64_t first_bad) const {
    const VerifyReport report = Verify(rows);
    EXPECT_FALSE(report.intact);
    EXPECT_EQ(report.first_bad, first_bad) << report.problem;
    EXPECT_FALSE(report.problem.empty());
  }
  /// Rows from `first` (1, 2, ...) on rewritten with other content and right hashes: by someone without the
  /// key.
  std::vector<std::string> WithRewrittenTail(std::size_t first) const {
    std::vector<std::string> rows = rows_;
    for (std::size_t i = first; i <= rows.size(); ++i) {
      const crypto::Sha256Digest previous = i == 1 ? crypto::Sha256Digest{} : ParseRow(rows[i - 2])->row.leaf;
      const auto row = MakeRow(static_cast<std::int64_t>(i), previous, ParseRow(rows_[i - 1])->time,
                               test::Decision("forged-" + std::to_string(i)));
      rows[i - 1] = row->canonical;
    }
    return rows;
  }

  std::string older_, newer_;
  std::vector<std::string> rows_;
};

TEST_F(TamperTest, TheUntouchedLogIsIntact) {
  const VerifyReport report = Verify(rows_);
  EXPECT_TRUE(report.intact) << report.problem;
  EXPECT_EQ(report.rows, kRows);
  EXPECT_EQ(report.signed_rows, kAllSigned);
  EXPECT_EQ(report.first_bad, 0);
  EXPECT_EQ(report.problem, "");
}

TEST_F(TamperTest, AFlippedByteOfAnyRowThatIsCoveredIsFound) {
  for (std::size_t i = 0; i < kAllSigned; ++i)
    for (std::size_t at = 0; at < rows_[i].size(); ++at) {
      std::vector<std::string> rows = rows_;
      rows[i][at] = static_cast<char>(rows[i][at] ^ 1);
      const VerifyReport report = Verify(rows);
      ASSERT_FALSE(report.intact) << "row " << i + 1 << " byte " << at;
      ASSERT_LE(report.first_bad, static_cast<std::int64_t>(i) + 1) << "row " << i + 1 << " byte " << at;
    }
}

TEST_F(TamperTest, AChangedRowIsNamed) {
  for (std::size_t i = 0; i + 1 < kRows; ++i) {
    std::vector<std::string> rows = rows_;
    const std::size_t at = rows[i].find("request-");
    rows[i][at + 8] = 'x';
    ExpectBad(rows, static_cast<std::int64_t>(i) + 1);
  }
}

TEST_F(TamperTest, ARowWithAChangedLinkIsNamedNotItsNeighbour) {
  std::vector<std::string> rows = rows_;
  const std::size_t at = rows[4].find("sha256:", rows[4].find("previous")) + 7;
  rows[4][at] = rows[4][at] == '0' ? '1' : '0';
  ExpectBad(rows, 5);
}

TEST_F(TamperTest, ADeletedRowIsNamedBeItFirstOrInTheMiddle) {
  for (const std::ptrdiff_t at : {0, 4, kRows - 2}) {
    std::vector<std::string> rows = rows_;
    rows.erase(rows.begin() + at);
    ExpectBad(rows, at + 1);
  }
}

TEST_F(TamperTest, ALogThatIsCutOffIsFoundByACheckpointOfLaterRows) {
  for (std::size_t kept = 0; kept < kAllSigned; ++kept)
    ExpectBad({rows_.begin(), rows_.begin() + static_cast<std::ptrdiff_t>(kept)},
              static_cast<std::int64_t>(kept) + 1);
}

// Said plainly: nobody can see this who has no checkpoint of what is gone.
TEST_F(TamperTest, ALogThatIsCutOffAboveEveryKnownCheckpointLooksIntact) {
  const std::vector<std::string> rows(rows_.begin(), rows_.begin() + kSigned);
  EXPECT_TRUE(VerifyRows(rows, key_, {older_}).intact);
  EXPECT_TRUE(VerifyRows(rows, key_, {}).intact);
}

TEST_F(TamperTest, AChainThatStartsWithALinkToSomethingElseIsFound) {
  const auto first = MakeRow(1, LeafHash({}), clock_.Now(), test::Decision("r"));
  const VerifyReport report = VerifyRows({first->canonical}, key_, {});
  EXPECT_FALSE(report.intact);
  EXPECT_EQ(report.first_bad, 1);
}

TEST_F(TamperTest, SwappedRowsAreFound) {
  for (std::size_t i = 0; i + 1 < kRows; ++i) {
    std::vector<std::string> rows = rows_;
    std::swap(rows[i], rows[i + 1]);
    ExpectBad(rows, static_cast<std::int64_t>(i) + 1);
  }
}

TEST_F(TamperTest, ADuplicatedRowIsFound) {
  for (std::ptrdiff_t i = 0; i < kRows; ++i) {
    std::vector<std::string> rows = rows_;
    rows.insert(rows.begin() + i, rows[static_cast<std::size_t>(i)]);
    ExpectBad(rows, i + 2);
  }
}

TEST_F(TamperTest, ATailThatIsRewrittenWithRightHashesIsFoundByTheCheckpointThatCoversIt) {
  for (std::size_t first = 1; first <= kAllSigned; ++first) {
    const auto rows = WithRewrittenTail(first);
    ASSERT_TRUE(VerifyRows(rows, key_, {}).intact) << "the chain alone is right";
    ExpectBad(rows, first <= kSigned ? 1 : kSigned + 1);
  }
}

TEST_F(TamperTest, RowsOfAnotherLogAreFound) {
  auto rows = WithRewrittenTail(1);
  EXPECT_FALSE(Verify(rows).intact);
}

TEST_F(TamperTest, ACheckpointThatIsForgedOrOfAnotherLogIsNotBelieved) {
  const std::string forged = MakeCheckpoint(test::kOrigin, kRows, {}, test::SeedOf(9));
  EXPECT_FALSE(VerifyRows(rows_, key_, {forged}).intact);
  std::vector<crypto::Sha256Digest> leaves;
  for (const auto& row : rows_) leaves.push_back(ParseRow(row)->row.leaf);
  const std::string other =
      MakeCheckpoint("portcullis.test/other/1", kRows, MerkleRoot(leaves), test::SeedOf());
  EXPECT_TRUE(VerifyRows(rows_, key_, {other}).intact);
  EXPECT_FALSE(VerifyRows(rows_, key_, {older_, other}).intact);
}

TEST_F(TamperTest, TwoHeadsOfOneSizeAreFound) {
  const std::string fork = MakeCheckpoint(test::kOrigin, kAllSigned, {}, test::SeedOf());
  EXPECT_FALSE(VerifyRows(rows_, key_, {newer_, fork}).intact);
}

TEST_F(TamperTest, TimeThatGoesBackIsFound) {
  std::vector<std::string> rows(rows_.begin(), rows_.begin() + 3);
  const auto last = ParseRow(rows[2]);
  const auto back =
      MakeRow(4, last->row.leaf, last->time - std::chrono::milliseconds(1), test::Decision("earlier"));
  rows.push_back(back->canonical);
  const VerifyReport report = VerifyRows(rows, key_, {});
  EXPECT_FALSE(report.intact);
  EXPECT_EQ(report.first_bad, 4);
}

TEST_F(TamperTest, AnEmptyLogIsIntactUnlessSomethingWasSigned) {
  EXPECT_TRUE(VerifyRows({}, key_, {}).intact);
  EXPECT_TRUE(VerifyRows({}, key_, {""}).intact);
  EXPECT_FALSE(VerifyRows({}, key_, {older_}).intact);
}

}  // namespace
}  // namespace portcullis::audit

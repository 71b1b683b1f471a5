#include "store/store.h"

#include <gtest/gtest.h>

#include "tests/store/counter.h"
#include "tests/store/temporary_directory.h"

namespace portcullis::store {
namespace {

using test::Insert;
using test::Numbers;
using test::OpenNumbers;
using test::TemporaryDirectory;

class StoreTest : public testing::Test {
 protected:
  TemporaryDirectory directory_;
  std::string path_ = directory_.File("state.db");
  std::unique_ptr<Store> store_ = OpenNumbers(path_);
};

TEST_F(StoreTest, KeepsWhatWasWrittenAcrossReopening) {
  ASSERT_TRUE(test::Write(*store_, 7));
  store_.reset();
  EXPECT_EQ(Numbers(*OpenNumbers(path_)), std::vector<std::int64_t>{7});
}

TEST_F(StoreTest, AnErrorOfTheBodyUndoesItsChangesAndIsReturned) {
  const auto result = store_->Write([](Transaction& transaction) -> Result<> {
    TRY(Insert(transaction, 1));
    return Error{ReasonCode::kRevoked, "changed its mind"};
  });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ReasonCode::kRevoked);
  EXPECT_TRUE(Numbers(*store_).empty());
  EXPECT_FALSE(store_->latched());
}

TEST_F(StoreTest, ADuplicateIsAConflictAndTheTransactionStaysUsable) {
  ASSERT_TRUE(test::Write(*store_, 1));
  ASSERT_TRUE(store_->Write([](Transaction& transaction) -> Result<> {
    const auto duplicate = Insert(transaction, 1);
    EXPECT_FALSE(duplicate);
    EXPECT_EQ(duplicate.error().code, ReasonCode::kConflict);
    return Insert(transaction, 2);
  }));
  EXPECT_EQ(Numbers(*store_), (std::vector<std::int64_t>{1, 2}));
}

TEST_F(StoreTest, ADuplicatePrimaryKeyIsAConflictToo) {
  const auto insert = [](Transaction& transaction) -> Result<> {
    TRY(transaction.Execute("INSERT INTO numbers (place, value) VALUES (?, NULL)", {std::int64_t{5}}));
    return Done{};
  };
  ASSERT_TRUE(store_->Write(insert));
  const auto again = store_->Write(insert);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ReasonCode::kConflict);
}

TEST_F(StoreTest, OtherRefusalsAreNoConflictAndDoNotLatch) {
  const auto wrong_type = store_->Write([](Transaction& transaction) -> Result<> {
    TRY(transaction.Execute("INSERT INTO numbers (value) VALUES (?)", {std::string("seven")}));
    return Done{};
  });
  ASSERT_FALSE(wrong_type);
  EXPECT_EQ(wrong_type.error().code, ReasonCode::kAuditUnavailable);
  EXPECT_TRUE(test::Write(*store_, 1));
}

TEST_F(StoreTest, RefusesTheWrongNumberOfValuesAndMoreThanOneStatement) {
  EXPECT_FALSE(store_->Read([](Transaction& transaction) -> Result<> {
    (void)TRY(transaction.Query("SELECT ?", {}));
    return Done{};
  }));
  EXPECT_FALSE(store_->Read([](Transaction& transaction) -> Result<> {
    (void)TRY(transaction.Query("SELECT 1; SELECT 2", {}));
    return Done{};
  }));
}

TEST_F(StoreTest, CountsTheRowsThatChanged) {
  for (std::int64_t i = 1; i <= 3; ++i) ASSERT_TRUE(test::Write(*store_, i));
  ASSERT_TRUE(store_->Write([](Transaction& transaction) -> Result<> {
    const auto changed =
        TRY(transaction.Execute("UPDATE numbers SET value = value + 10 WHERE value > ?", {std::int64_t{1}}));
    EXPECT_EQ(changed, 2);
    return Done{};
  }));
}

TEST_F(StoreTest, ValuesComeBackAsTheyWere) {
  ASSERT_TRUE(store_->Migrate("values", {"CREATE TABLE kept (id INTEGER PRIMARY KEY, value ANY) STRICT"}));
  const std::vector<Value> values = {std::monostate{},
                                     std::int64_t{INT64_MIN},
                                     std::int64_t{INT64_MAX},
                                     std::string(),
                                     std::string("a\0b", 3),
                                     std::string("\xC3\xA9"),
                                     ByteBuffer(),
                                     ByteBuffer{std::byte{0}, std::byte{255}}};
  ASSERT_TRUE(store_->Write([&](Transaction& transaction) -> Result<> {
    for (const Value& value : values)
      TRY(transaction.Execute("INSERT INTO kept (value) VALUES (?)", {value}));
    return Done{};
  }));
  ASSERT_TRUE(store_->Read([&](Transaction& transaction) -> Result<> {
    const auto rows = TRY(transaction.Query("SELECT value FROM kept ORDER BY id", {}));
    EXPECT_EQ(rows.size(), values.size());
    for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i].at(0), values[i]) << i;
    return Done{};
  }));
}

TEST_F(StoreTest, AReadCanNotWrite) {
  EXPECT_FALSE(store_->Read([](Transaction& transaction) { return Insert(transaction, 1); }));
  EXPECT_TRUE(Numbers(*store_).empty());
  EXPECT_FALSE(store_->latched());
}

TEST_F(StoreTest, AReadSeesOneSnapshot) {
  ASSERT_TRUE(test::Write(*store_, 1));
  ASSERT_TRUE(store_->Read([this](Transaction& transaction) -> Result<> {
    EXPECT_EQ(TRY(transaction.Query("SELECT value FROM numbers", {})).size(), 1u);
    EXPECT_TRUE(test::Write(*store_, 2));
    EXPECT_EQ(TRY(transaction.Query("SELECT value FROM numbers", {})).size(), 1u);
    return Done{};
  }));
  EXPECT_EQ(Numbers(*store_).size(), 2u);
}

TEST_F(StoreTest, AMigrationRunsOnceForItsNameAndWhollyOrNotAtAll) {
  const auto failed = store_->Migrate("half", {"CREATE TABLE half (a INTEGER) STRICT", "CREATE NONSENSE"});
  EXPECT_FALSE(failed);
  ASSERT_TRUE(store_->Migrate("half", {"CREATE TABLE half (a INTEGER) STRICT"}));
  EXPECT_TRUE(store_->Migrate("half", {"CREATE TABLE half (a INTEGER) STRICT"}));
  store_.reset();
  store_ = OpenNumbers(path_);
  EXPECT_TRUE(store_->Migrate("half", {"CREATE TABLE half (a INTEGER) STRICT"}));
}

TEST_F(StoreTest, ForeignKeysHold) {
  ASSERT_TRUE(
      store_->Migrate("children", {"CREATE TABLE children (of INTEGER REFERENCES numbers (place)) STRICT"}));
  EXPECT_FALSE(store_->Write([](Transaction& transaction) -> Result<> {
    TRY(transaction.Execute("INSERT INTO children (of) VALUES (?)", {std::int64_t{99}}));
    return Done{};
  }));
}

TEST_F(StoreTest, DeletedValuesLeaveNoTraceInTheFiles) {
  const std::string canary = "canary-3f9a1c77e2";
  ASSERT_TRUE(store_->Migrate("texts", {"CREATE TABLE texts (value TEXT) STRICT"}));
  ASSERT_TRUE(store_->Write([&](Transaction& transaction) -> Result<> {
    TRY(transaction.Execute("INSERT INTO texts (value) VALUES (?)", {canary}));
    return Done{};
  }));
  ASSERT_TRUE(store_->Write([&](Transaction& transaction) -> Result<> {
    TRY(transaction.Execute("DELETE FROM texts WHERE value = ?", {canary}));
    return Done{};
  }));
  store_.reset();  // the write-ahead log goes with it
  for (const auto& entry : std::filesystem::directory_iterator(directory_.path()))
    EXPECT_EQ(test::ReadFile(entry.path()).find(canary), std::string::npos) << entry.path();
}

TEST_F(StoreTest, ABodyThatWritesAgainEndsTheProcessInsteadOfWaitingForItself) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH((void)store_->Write([this](Transaction&) { return test::Write(*store_, 1); }), "");
}

TEST_F(StoreTest, AReaderOfItsOwnSeesWhatIsCommittedWhileTheWriterLives) {
  ASSERT_TRUE(test::Write(*store_, 1));
  const auto reader = OpenSqliteReadOnly(path_);
  ASSERT_TRUE(reader) << reader.error().ToString();
  EXPECT_EQ(Numbers(**reader), std::vector<std::int64_t>{1});
  ASSERT_TRUE(test::Write(*store_, 2));
  EXPECT_EQ(Numbers(**reader), (std::vector<std::int64_t>{1, 2}));
}

TEST_F(StoreTest, AReaderOfItsOwnDoesNotNeedAWriter) {
  ASSERT_TRUE(test::Write(*store_, 1));
  store_.reset();
  const auto reader = OpenSqliteReadOnly(path_);
  ASSERT_TRUE(reader) << reader.error().ToString();
  EXPECT_EQ(Numbers(**reader), std::vector<std::int64_t>{1});
  EXPECT_FALSE(OpenSqliteReadOnly(directory_.File("absent.db")));
  EXPECT_FALSE(std::filesystem::exists(directory_.File("absent.db")));
}

}  // namespace
}  // namespace portcullis::store

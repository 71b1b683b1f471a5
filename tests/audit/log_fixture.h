#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <memory>
#include <string>
#include <vector>

#include "audit/audit.h"
#include "audit/file.h"
#include "codec/text.h"
#include "tests/store/temporary_directory.h"
#include "tests/support/fake_clock.h"

namespace portcullis::test {

inline constexpr std::string_view kOrigin = "portcullis.test/replica/1";

/// The seed 00 01 .. 1f, plus `first` at its front.
inline SecretBytes SeedOf(std::uint8_t first = 0) {
  std::array<std::byte, 32> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i);
  bytes[0] = std::byte{first};
  return SecretBytes::CopyOf(bytes);
}

inline audit::Entry Decision(std::string request_id) {
  return {.kind = "decision",
          .request_id = std::move(request_id),
          .verdict = "allow",
          .reason = "",
          .subject = "models/pod-1",
          .resource = "models/llama",
          .detail = codec::Json::Object({{"evidence", "sha256:00ff"}, {"count", 3}})};
}

/// A log in a database of its own.
class LogFixture : public testing::Test {
 protected:
  void SetUp() override { Open(); }

  void Open() {
    log_.reset();
    store_.reset();
    auto store = store::OpenSqlite(path_);
    ASSERT_TRUE(store) << store.error().ToString();
    store_ = std::move(*store);
    auto log = audit::Log::Open(*store_, clock_, std::string(kOrigin), SeedOf());
    ASSERT_TRUE(log) << log.error().ToString();
    log_ = std::move(*log);
  }
  void Close() {
    log_.reset();
    store_.reset();
  }
  /// What opening the log says, with the store open but no log.
  Result<> Reopened() {
    if (store_ == nullptr) {
      auto store = store::OpenSqlite(path_);
      if (!store) return store.error();
      store_ = std::move(*store);
    }
    auto log = audit::Log::Open(*store_, clock_, std::string(kOrigin), SeedOf());
    if (!log) return log.error();
    return Done{};
  }

  Result<std::int64_t> Append(const audit::Entry& entry) {
    std::int64_t sequence = 0;
    const auto append = [&](store::Transaction& transaction) -> Result<> {
      sequence = TRY(log_->Append(transaction, entry));
      return Done{};
    };
    TRY(store_->Write(append));
    return sequence;
  }
  void AppendMany(int count) {
    for (int i = 0; i < count; ++i) {
      const auto sequence = Append(Decision("request-" + std::to_string(i)));
      ASSERT_TRUE(sequence) << sequence.error().ToString();
      clock_.Advance(std::chrono::milliseconds(7));
    }
  }
  std::string CheckpointNow() {
    const auto signed_now = log_->Checkpoint();
    EXPECT_TRUE(signed_now) << signed_now.error().ToString();
    return *log_->LatestCheckpoint();
  }
  std::vector<std::string> Texts() {
    std::vector<std::string> texts;
    const auto rows = log_->Rows(0, 1000);
    for (const audit::Row& row : *rows) texts.push_back(row.canonical);
    return texts;
  }
  /// Changes the closed database as someone with the file can.
  void Tamper(const std::string& sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    const std::string all =
        "DROP TRIGGER IF EXISTS audit_rows_keep; DROP TRIGGER IF EXISTS audit_rows_stay;" + sql;
    EXPECT_EQ(sqlite3_exec(database, all.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(database);
    sqlite3_close(database);
  }

  TemporaryDirectory directory_{FastDirectory()};
  std::string path_ = directory_.File("state.db");
  FakeClock clock_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<audit::Log> log_;
  crypto::Ed25519PublicKey key_ = crypto::Ed25519PublicOf(SeedOf());
};

}  // namespace portcullis::test

#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <memory>
#include <string>

#include "crypto/digest.h"
#include "keystore/keystore.h"
#include "tests/store/temporary_directory.h"

namespace portcullis::test {

inline keystore::Kek KekOf(std::uint8_t first = 1) {
  std::array<std::byte, 32> bytes{std::byte{first}};
  bytes[31] = std::byte{0xA5};
  return keystore::Kek::FromBytes(SecretBytes::CopyOf(bytes));
}

inline std::string Revealed(const SecretBytes& secret) { return secret.Expose(ToText); }

/// A store in a directory of its own, and what someone with the closed file can do.
class StoreFixture : public testing::Test {
 protected:
  void SetUp() override { OpenStore(); }

  void OpenStore() {
    store_.reset();
    auto store = store::OpenSqlite(path_);
    ASSERT_TRUE(store) << store.error().ToString();
    store_ = std::move(*store);
  }
  void Tamper(const std::string& sql) {
    store_.reset();
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(database);
    EXPECT_GT(sqlite3_changes(database), 0) << "nothing was tampered with";
    sqlite3_close(database);
    OpenStore();
  }

  TemporaryDirectory directory_{FastDirectory()};
  std::string path_ = directory_.File("state.db");
  std::unique_ptr<store::Store> store_;
  crypto::SystemRandom random_;
};

}  // namespace portcullis::test

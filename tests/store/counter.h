#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "store/store.h"

namespace portcullis::test {

/// A table of numbers, written in the order of the commits: what a test needs to tell which writes are there.
inline Result<> CreateNumbers(store::Store& store) {
  return store.Migrate(
      "numbers-1",
      {"CREATE TABLE numbers (place INTEGER PRIMARY KEY AUTOINCREMENT, value INTEGER UNIQUE) STRICT"});
}

inline std::unique_ptr<store::Store> OpenNumbers(const std::string& path) {
  auto store = store::OpenSqlite(path);
  if (!store) {
    ADD_FAILURE() << store.error().ToString();
    return nullptr;
  }
  const auto created = CreateNumbers(**store);
  EXPECT_TRUE(created) << created.error().ToString();
  return std::move(*store);
}

inline Result<> Insert(store::Transaction& transaction, std::int64_t value) {
  TRY(transaction.Execute("INSERT INTO numbers (value) VALUES (?)", {value}));
  return Done{};
}

inline Result<> Write(store::Store& store, std::int64_t value) {
  return store.Write([value](store::Transaction& transaction) { return Insert(transaction, value); });
}

inline std::vector<std::int64_t> Numbers(const store::Store& store) {
  std::vector<std::int64_t> out;
  const auto read = store.Read([&out](store::Transaction& transaction) -> Result<> {
    for (const store::Row& row : TRY(transaction.Query("SELECT value FROM numbers ORDER BY place", {})))
      out.push_back(store::IntegerOf(row.at(0)));
    return Done{};
  });
  EXPECT_TRUE(read) << read.error().ToString();
  return out;
}

}  // namespace portcullis::test

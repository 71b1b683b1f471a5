#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "store/sqlite_connection.h"

namespace portcullis::store {

/// A few read-only connections, opened as they are needed. Each read sees one snapshot. Thread-safe.
class ReadPool {
 public:
  ReadPool(std::string path, Latch& latch) : path_(std::move(path)), latch_(latch) {}

  Result<> Run(const Store::Body& body);

 private:
  using Connection = std::unique_ptr<SqliteConnection>;
  Result<Connection> Borrow();
  void GiveBack(Connection connection);

  const std::string path_;
  Latch& latch_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<Connection> idle_;
  std::size_t borrowed_ = 0;
};

}  // namespace portcullis::store

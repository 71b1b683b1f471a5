#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store/latch.h"
#include "store/store.h"

struct sqlite3;
struct sqlite3_stmt;

namespace portcullis::store {

/// One connection to a SQLite file with its prepared statements. Used by one thread at a time.
class SqliteConnection final : public Transaction {
 public:
  enum class Access { kReadWrite, kReadOnly };

  /// Opens an existing file and sets what every connection of ours has: extended error codes, foreign keys,
  /// untrusted schema, no memory mapping. `latch` must outlive it.
  /// Errors: ConfigurationInvalid (not a database), AuditUnavailable (disk).
  static Result<std::unique_ptr<SqliteConnection>> Open(const std::string& path, Access access, Latch& latch);
  ~SqliteConnection() override;
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  Result<std::int64_t> Execute(StaticText sql, const std::vector<Value>& values) override;
  Result<std::vector<Row>> Query(StaticText sql, const std::vector<Value>& values) override;

  /// False also after SQLite itself has rolled back, as it does on some errors.
  bool in_transaction() const;
  bool log_is_long() const;
  /// Moves what is in the write-ahead log into the database once the log has grown long.
  Result<> CheckpointIfLong();

 private:
  struct CloseDatabase {
    void operator()(sqlite3* database) const;
  };
  struct FinalizeStatement {
    void operator()(sqlite3_stmt* statement) const;
  };
  using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

  SqliteConnection(sqlite3* database, Access access, Latch& latch);
  Result<> Configure();
  Result<sqlite3_stmt*> Prepare(StaticText sql);
  Result<> Bind(sqlite3_stmt* statement, const std::vector<Value>& values);
  Result<Row> ReadRow(sqlite3_stmt* statement);
  Error Failure(int code);

  std::unique_ptr<sqlite3, CloseDatabase> database_;
  Access access_;
  Latch& latch_;
  int log_pages_ = 0;
  // A StaticText is a literal, so its address and length name it. Destroyed before the database.
  std::map<std::pair<const char*, std::size_t>, Statement> statements_;
};

}  // namespace portcullis::store

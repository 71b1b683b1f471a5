#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace portcullis::store {

/// A value of a column. Text is UTF-8; a missing value is monostate (NULL).
using Value = std::variant<std::monostate, std::int64_t, std::string, ByteBuffer>;
using Row = std::vector<Value>;

std::int64_t IntegerOf(const Value& value);     // 0 for NULL; aborts on another type (our own schema)
const std::string& TextOf(const Value& value);  // aborts on another type
Bytes BlobOf(const Value& value);

/// What runs inside a transaction. Statements are SQL literals of ours with ? placeholders; values are always
/// bound.
class Transaction {
 public:
  virtual ~Transaction() = default;
  /// Runs a statement without rows; the number of rows changed. Conflict where a UNIQUE or PRIMARY KEY
  /// constraint refuses it (the transaction stays usable), AuditUnavailable for every other failure.
  virtual Result<std::int64_t> Execute(StaticText sql, const std::vector<Value>& values) = 0;
  virtual Result<std::vector<Row>> Query(StaticText sql, const std::vector<Value>& values) = 0;
};

/// Durable state: SQLite here, PostgreSQL later, behind one interface. Thread-safe.
///
/// Writes run one after the other, each on its caller's thread or on that of another caller; those that wait
/// together share one fsync (group commit), each in its own savepoint. A write that returned success is
/// durable. After the first I/O error or full disk the store is latched: every later write is
/// AuditUnavailable until the process restarts (a failed fsync may have lost pages, and a retry would lie).
class Store {
 public:
  virtual ~Store() = default;
  using Body = std::function<Result<>(Transaction&)>;

  /// Runs `body`, commits, and returns when that is durable. The body's Error rolls back only its own changes
  /// and is returned. The body must not call the store again.
  virtual Result<> Write(const Body& body) = 0;
  /// Runs `body` on a snapshot, without changes.
  virtual Result<> Read(const Body& body) const = 0;
  /// Creates tables as needed: statements separated by the caller, run in order, once per `name`.
  virtual Result<> Migrate(std::string_view name, const std::vector<StaticText>& statements) = 0;
  /// Whether an I/O error has latched the store.
  virtual bool latched() const = 0;
};

/// Opens or creates a SQLite database: WAL, synchronous=FULL, foreign keys, secure_delete, trusted_schema
/// off, mode 0600. A second process on the same file is refused (exclusive lock file). Errors:
/// ConfigurationInvalid (path, permissions, not a database), AuditUnavailable (disk).
Result<std::unique_ptr<Store>> OpenSqlite(const std::string& path);

/// Opens an existing database for reading, also while a process of its own writes to it (the reader then
/// needs that process's user). Where no process has it open, its directory must be writable: SQLite keeps its
/// shared memory beside the file. Errors as above.
Result<std::unique_ptr<const Store>> OpenSqliteReadOnly(const std::string& path);

}  // namespace portcullis::store

#include "store/file_lock.h"
#include "store/group_commit.h"
#include "store/read_pool.h"
#include "store/sqlite_connection.h"
#include "store/sqlite_file.h"
#include "store/store.h"

namespace portcullis::store {
namespace {

// "PCUL": says in the file's header whose database it is.
constexpr std::int64_t kApplicationId = 0x5043554c;
// Raised when one release could misread what another has written.
constexpr std::int64_t kSchemaVersion = 2;

Result<std::int64_t> QueryInteger(SqliteConnection& connection, StaticText sql) {
  const auto rows = TRY(connection.Query(sql, {}));
  return rows.empty() ? 0 : IntegerOf(rows.front().front());
}

/// Refuses a database of another program, or of a release whose tables are others.
Result<> CheckOwner(SqliteConnection& connection) {
  const auto application = TRY(QueryInteger(connection, "PRAGMA application_id"));
  const auto version = TRY(QueryInteger(connection, "PRAGMA user_version"));
  if (application != kApplicationId)
    return Error{ReasonCode::kConfigurationInvalid, "the database belongs to another program"};
  if (version > kSchemaVersion)
    return Error{ReasonCode::kConfigurationInvalid, "the database was written by a newer release"};
  if (version < kSchemaVersion)
    return Error{
        ReasonCode::kConfigurationInvalid,
        "the database was written by an older release, whose tables are others: begin with a new one"};
  return Done{};
}

/// Makes an empty file ours, in one transaction.
Result<> Claim(SqliteConnection& connection) {
  const auto tables = TRY(QueryInteger(connection, "SELECT count(*) FROM sqlite_schema"));
  if (tables != 0 || TRY(QueryInteger(connection, "PRAGMA application_id")) != 0)
    return CheckOwner(connection);
  TRY(connection.Execute("BEGIN IMMEDIATE", {}));
  TRY(connection.Execute("CREATE TABLE migrations (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID", {}));
  (void)TRY(connection.Query("PRAGMA application_id=1346590028", {}));
  (void)TRY(connection.Query("PRAGMA user_version=2", {}));
  TRY(connection.Execute("COMMIT", {}));
  return CheckOwner(connection);
}
static_assert(kApplicationId == 1346590028 && kSchemaVersion == 2, "the PRAGMAs above spell these out");

class SqliteStore final : public Store {
 public:
  SqliteStore(FileLock lock, std::unique_ptr<Latch> latch, std::unique_ptr<SqliteConnection> writer,
              const std::string& path)
      : lock_(std::move(lock)),
        latch_(std::move(latch)),
        writer_(std::move(writer), *latch_),
        readers_(path, *latch_) {}

  Result<> Write(const Body& body) override { return writer_.Run(body); }
  Result<> Read(const Body& body) const override { return readers_.Run(body); }
  bool latched() const override { return latch_->tripped(); }

  Result<> Migrate(std::string_view name, const std::vector<StaticText>& statements) override {
    return Write([&](Transaction& transaction) -> Result<> {
      const std::vector<Value> key{std::string(name)};
      if (!TRY(transaction.Query("SELECT 1 FROM migrations WHERE name = ?", key)).empty()) return Done{};
      for (const StaticText statement : statements) TRY(transaction.Execute(statement, {}));
      TRY(transaction.Execute("INSERT INTO migrations (name) VALUES (?)", key));
      return Done{};
    });
  }

 private:
  // Destroyed from below: readers first, so that the writer is the last to close and empties the log; the
  // lock last.
  FileLock lock_;
  std::unique_ptr<Latch> latch_;
  GroupCommit writer_;
  mutable ReadPool readers_;
};

class ReadOnlyStore final : public Store {
 public:
  explicit ReadOnlyStore(const std::string& path) : readers_(path, latch_) {}

  Result<> Write(const Body&) override { return Refusal(); }
  Result<> Migrate(std::string_view, const std::vector<StaticText>&) override { return Refusal(); }
  Result<> Read(const Body& body) const override { return readers_.Run(body); }
  bool latched() const override { return latch_.tripped(); }

 private:
  static Error Refusal() { return {ReasonCode::kAuditUnavailable, "the database is open for reading only"}; }
  Latch latch_;
  mutable ReadPool readers_;
};

}  // namespace

Result<std::unique_ptr<Store>> OpenSqlite(const std::string& path) {
  FileLock lock = TRY(FileLock::Acquire(path + ".lock"));
  TRY(PrepareDatabaseFile(path));
  auto latch = std::make_unique<Latch>();
  auto writer =
      TRY_AT(Quoted(path), SqliteConnection::Open(path, SqliteConnection::Access::kReadWrite, *latch));
  TRY_AT(Quoted(path), Claim(*writer));
  return std::unique_ptr<Store>(
      std::make_unique<SqliteStore>(std::move(lock), std::move(latch), std::move(writer), path));
}

Result<std::unique_ptr<const Store>> OpenSqliteReadOnly(const std::string& path) {
  auto store = std::make_unique<ReadOnlyStore>(path);
  const auto check = [](Transaction& transaction) -> Result<> {
    const auto rows = TRY(transaction.Query("PRAGMA application_id", {}));
    if (rows.empty() || IntegerOf(rows.front().front()) != kApplicationId)
      return Error{ReasonCode::kConfigurationInvalid, "the database belongs to another program"};
    return Done{};
  };
  TRY_AT(Quoted(path), store->Read(check));
  return std::unique_ptr<const Store>(std::move(store));
}

}  // namespace portcullis::store

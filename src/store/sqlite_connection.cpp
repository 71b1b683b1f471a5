#include "store/sqlite_connection.h"

#include <sqlite3.h>

namespace portcullis::store {
namespace {

// Long enough for an administrator's own sqlite3 shell to finish a look; nobody else can hold a lock.
constexpr int kBusyTimeoutMilliseconds = 5000;
// 4 MiB of log: SQLite's own habit.
constexpr int kLongLogPages = 1000;

// Leaves a cached statement ready for its next use, and no value of this one in its memory.
class StatementUse {
 public:
  explicit StatementUse(sqlite3_stmt* statement) : statement_(statement) {}
  ~StatementUse() {
    (void)sqlite3_reset(statement_);
    (void)sqlite3_clear_bindings(statement_);
  }
  StatementUse(const StatementUse&) = delete;
  StatementUse& operator=(const StatementUse&) = delete;

 private:
  sqlite3_stmt* statement_;
};

bool IsDuplicate(int code) {
  return code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY ||
         code == SQLITE_CONSTRAINT_ROWID;
}

// Errors after which the file's state is in doubt. A read-only connection that is asked to write or can't be
// opened says nothing about the file.
bool IsDoubtful(int code, SqliteConnection::Access access) {
  switch (code & 0xff) {
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return true;
    case SQLITE_FULL:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_NOMEM:
      return access == SqliteConnection::Access::kReadWrite;
    default:
      return false;
  }
}

int BindOne(sqlite3_stmt* statement, int index, const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value))
    return sqlite3_bind_int64(statement, index, *integer);
  // SQLITE_STATIC: the value outlives the step, and SQLite keeps no copy of its own.
  if (const auto* text = std::get_if<std::string>(&value))
    return sqlite3_bind_text64(statement, index, text->data(), text->size(), SQLITE_STATIC, SQLITE_UTF8);
  if (const auto* blob = std::get_if<ByteBuffer>(&value)) {
    // A null pointer, as an empty buffer may have, would be bound as NULL.
    if (blob->empty()) return sqlite3_bind_zeroblob(statement, index, 0);
    return sqlite3_bind_blob64(statement, index, blob->data(), blob->size(), SQLITE_STATIC);
  }
  return sqlite3_bind_null(statement, index);
}

}  // namespace

void SqliteConnection::CloseDatabase::operator()(sqlite3* database) const {
  (void)sqlite3_close_v2(database);
}

void SqliteConnection::FinalizeStatement::operator()(sqlite3_stmt* statement) const {
  (void)sqlite3_finalize(statement);
}

SqliteConnection::SqliteConnection(sqlite3* database, Access access, Latch& latch)
    : database_(database), access_(access), latch_(latch) {}

SqliteConnection::~SqliteConnection() = default;

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::Open(const std::string& path, Access access,
                                                                 Latch& latch) {
  const int flags = (access == Access::kReadWrite ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) |
                    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection(raw, access, latch));
  if (code != SQLITE_OK)
    return Error{ReasonCode::kConfigurationInvalid, "the database can't be opened", Quoted(path)};
  if (auto configured = connection->Configure(); !configured) return std::move(configured).error();
  return connection;
}

Result<> SqliteConnection::Configure() {
  sqlite3* database = database_.get();
  (void)sqlite3_extended_result_codes(database, 1);
  (void)sqlite3_busy_timeout(database, kBusyTimeoutMilliseconds);
  for (const int option : {SQLITE_DBCONFIG_TRUSTED_SCHEMA, SQLITE_DBCONFIG_DQS_DDL, SQLITE_DBCONFIG_DQS_DML,
                           SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION})
    (void)sqlite3_db_config(database, option, 0, nullptr);
  (void)sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  (void)sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_FKEY, 1, nullptr);
  (void)TRY(Query("PRAGMA trusted_schema=OFF", {}));
  (void)TRY(Query("PRAGMA foreign_keys=ON", {}));
  (void)TRY(Query("PRAGMA temp_store=MEMORY", {}));
  // A mapped page that can't be read is SIGBUS instead of an error.
  (void)TRY(Query("PRAGMA mmap_size=0", {}));
  if (access_ == Access::kReadOnly) return Done{};

  (void)TRY(Query("PRAGMA secure_delete=ON", {}));
  const auto mode = TRY(Query("PRAGMA journal_mode=WAL", {}));
  if (mode.size() != 1 || TextOf(mode[0][0]) != "wal")
    return Error{ReasonCode::kConfigurationInvalid, "the file system can't hold a write-ahead log"};
  (void)TRY(Query("PRAGMA synchronous=FULL", {}));
  // Checkpoints are run by CheckpointIfLong: SQLite's own would swallow their errors.
  (void)sqlite3_wal_hook(
      database,
      [](void* self, sqlite3*, const char*, int pages) {
        static_cast<SqliteConnection*>(self)->log_pages_ = pages;
        return SQLITE_OK;
      },
      this);
  return Done{};
}

Result<sqlite3_stmt*> SqliteConnection::Prepare(StaticText sql) {
  const std::pair key(sql.view().data(), sql.view().size());
  if (const auto found = statements_.find(key); found != statements_.end()) return found->second.get();

  sqlite3_stmt* raw = nullptr;
  const char* tail = nullptr;
  const int code = sqlite3_prepare_v3(database_.get(), sql.view().data(), static_cast<int>(sql.view().size()),
                                      SQLITE_PREPARE_PERSISTENT, &raw, &tail);
  Statement statement(raw);
  if (code != SQLITE_OK) return Failure(code);
  if (raw == nullptr || tail != sql.view().data() + sql.view().size())
    return Error{ReasonCode::kAuditUnavailable, "exactly one statement is run at a time"};
  statements_.emplace(key, std::move(statement));
  return raw;
}

Result<> SqliteConnection::Bind(sqlite3_stmt* statement, const std::vector<Value>& values) {
  if (static_cast<std::size_t>(sqlite3_bind_parameter_count(statement)) != values.size())
    return Error{ReasonCode::kAuditUnavailable, "the statement takes another number of values"};
  for (std::size_t i = 0; i < values.size(); ++i)
    if (const int code = BindOne(statement, static_cast<int>(i) + 1, values[i]); code != SQLITE_OK)
      return Failure(code);
  return Done{};
}

Result<std::int64_t> SqliteConnection::Execute(StaticText sql, const std::vector<Value>& values) {
  sqlite3_stmt* statement = TRY(Prepare(sql));
  const StatementUse use(statement);
  TRY(Bind(statement, values));
  const int code = sqlite3_step(statement);
  if (code == SQLITE_ROW) return Error{ReasonCode::kAuditUnavailable, "the statement returns rows"};
  if (code != SQLITE_DONE) return Failure(code);
  return sqlite3_stmt_readonly(statement) != 0 ? 0 : sqlite3_changes64(database_.get());
}

Result<std::vector<Row>> SqliteConnection::Query(StaticText sql, const std::vector<Value>& values) {
  sqlite3_stmt* statement = TRY(Prepare(sql));
  const StatementUse use(statement);
  TRY(Bind(statement, values));
  std::vector<Row> rows;
  for (;;) {
    const int code = sqlite3_step(statement);
    if (code == SQLITE_DONE) return rows;
    if (code != SQLITE_ROW) return Failure(code);
    rows.push_back(TRY(ReadRow(statement)));
  }
}

Result<Row> SqliteConnection::ReadRow(sqlite3_stmt* statement) {
  Row row;
  const int columns = sqlite3_column_count(statement);
  row.reserve(static_cast<std::size_t>(columns));
  for (int i = 0; i < columns; ++i) {
    switch (sqlite3_column_type(statement, i)) {
      case SQLITE_NULL:
        row.emplace_back(std::monostate{});
        break;
      case SQLITE_INTEGER:
        row.emplace_back(std::int64_t{sqlite3_column_int64(statement, i)});
        break;
      case SQLITE_TEXT: {
        const void* text = sqlite3_column_text(statement, i);
        if (text == nullptr) return Failure(SQLITE_NOMEM);
        row.emplace_back(std::string(static_cast<const char*>(text),
                                     static_cast<std::size_t>(sqlite3_column_bytes(statement, i))));
        break;
      }
      case SQLITE_BLOB: {
        const auto* blob = static_cast<const std::byte*>(sqlite3_column_blob(statement, i));
        row.emplace_back(ByteBuffer(blob, blob + sqlite3_column_bytes(statement, i)));
        break;
      }
      default:
        return Error{ReasonCode::kAuditUnavailable, "a column holds a number that is not an integer"};
    }
  }
  return row;
}

bool SqliteConnection::in_transaction() const { return sqlite3_get_autocommit(database_.get()) == 0; }

bool SqliteConnection::log_is_long() const { return log_pages_ >= kLongLogPages; }

Result<> SqliteConnection::CheckpointIfLong() {
  if (!log_is_long()) return Done{};
  log_pages_ = 0;  // the next commit says how many there are then
  const int code =
      sqlite3_wal_checkpoint_v2(database_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  // Busy: a reader still needs the log. The next commit tries again.
  if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY) return Failure(code);
  return Done{};
}

Error SqliteConnection::Failure(int code) {
  const char* what = sqlite3_errmsg(database_.get());  // names of tables and columns, never values
  if (IsDoubtful(code, access_)) latch_.Trip(code, what);
  if (IsDuplicate(code)) return Error{ReasonCode::kConflict, "there is a row with this key", what};
  if ((code & 0xff) == SQLITE_NOTADB)
    return Error{ReasonCode::kConfigurationInvalid, "the file is not a SQLite database"};
  return Error{ReasonCode::kAuditUnavailable, "the database refuses", what};
}

}  // namespace portcullis::store

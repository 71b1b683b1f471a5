#include "audit/tables.h"

namespace portcullis::audit {
namespace {

constexpr std::int64_t kRowsAtOnce = 256;
constexpr std::int64_t kLeavesAtOnce = 4096;

Error Damaged() { return {ReasonCode::kAuditUnavailable, "an audit table holds a value of another type"}; }

// Not TextOf() and its like: these tables may have been edited, and that must be found, not end the process.
Result<std::int64_t> IntegerIn(const store::Value& value) {
  const auto* integer = std::get_if<std::int64_t>(&value);
  if (integer == nullptr) return Damaged();
  return *integer;
}

Result<std::string> TextIn(const store::Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return Damaged();
  return *text;
}

Result<crypto::Sha256Digest> DigestIn(const store::Value& value) {
  const auto* blob = std::get_if<ByteBuffer>(&value);
  if (blob == nullptr || blob->size() != crypto::Sha256Digest::kSize) return Damaged();
  return crypto::Sha256Digest::From(*blob);
}

}  // namespace

Result<> CreateTables(store::Store& store) {
  return store.Migrate(
      "audit-1",
      {"CREATE TABLE audit_rows (sequence INTEGER PRIMARY KEY, canonical TEXT NOT NULL, leaf BLOB NOT NULL, "
       "previous BLOB NOT NULL) STRICT",
       // Against our own mistakes; what someone with the file can do, the chain and its checkpoints find.
       "CREATE TRIGGER audit_rows_keep BEFORE UPDATE ON audit_rows "
       "BEGIN SELECT RAISE(ABORT, 'audit rows do not change'); END",
       "CREATE TRIGGER audit_rows_stay BEFORE DELETE ON audit_rows "
       "BEGIN SELECT RAISE(ABORT, 'audit rows are not deleted'); END",
       "CREATE TABLE audit_checkpoints (size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT"});
}

Result<std::vector<Row>> SelectRows(store::Transaction& transaction, std::int64_t after, std::int64_t limit) {
  const auto values =
      TRY(transaction.Query("SELECT sequence, canonical, leaf, previous FROM audit_rows WHERE sequence > ? "
                            "ORDER BY sequence LIMIT ?",
                            {after, limit}));
  std::vector<Row> rows;
  rows.reserve(values.size());
  for (const store::Row& row : values) {
    const auto sequence = TRY(IntegerIn(row[0]));
    auto canonical = TRY(TextIn(row[1]));
    const auto leaf = TRY(DigestIn(row[2]));
    const auto previous = TRY(DigestIn(row[3]));
    rows.push_back(
        {.sequence = sequence, .canonical = std::move(canonical), .leaf = leaf, .previous = previous});
  }
  return rows;
}

Result<> ForEachRow(store::Transaction& transaction, std::int64_t after,
                    const std::function<bool(const Row&)>& visit) {
  for (;;) {
    const std::vector<Row> rows = TRY(SelectRows(transaction, after, kRowsAtOnce));
    if (rows.empty()) return Done{};
    for (const Row& row : rows)
      if (!visit(row)) return Done{};
    after = rows.back().sequence;
  }
}

Result<> ForEachLeaf(store::Transaction& transaction, std::int64_t last,
                     const std::function<bool(std::int64_t, const crypto::Sha256Digest&)>& visit) {
  std::int64_t after = 0;
  for (;;) {
    const auto rows =
        TRY(transaction.Query("SELECT sequence, leaf FROM audit_rows WHERE sequence > ? AND sequence <= ? "
                              "ORDER BY sequence LIMIT ?",
                              {after, last, kLeavesAtOnce}));
    if (rows.empty()) return Done{};
    for (const store::Row& row : rows) {
      after = TRY(IntegerIn(row[0]));
      if (!visit(after, TRY(DigestIn(row[1])))) return Done{};
    }
  }
}

Result<std::pair<std::int64_t, crypto::Sha256Digest>> SelectHead(store::Transaction& transaction) {
  const auto rows =
      TRY(transaction.Query("SELECT sequence, leaf FROM audit_rows ORDER BY sequence DESC LIMIT 1", {}));
  if (rows.empty()) return std::pair{std::int64_t{0}, crypto::Sha256Digest{}};
  const auto sequence = TRY(IntegerIn(rows[0][0]));
  const auto leaf = TRY(DigestIn(rows[0][1]));
  return std::pair{sequence, leaf};
}

Result<> InsertRow(store::Transaction& transaction, const Row& row) {
  TRY(transaction.Execute(
      "INSERT INTO audit_rows (sequence, canonical, leaf, previous) VALUES (?, ?, ?, ?)",
      {row.sequence, row.canonical, ToBuffer(row.leaf.bytes()), ToBuffer(row.previous.bytes())}));
  return Done{};
}

Result<std::string> SelectNewestCheckpoint(store::Transaction& transaction) {
  const auto rows =
      TRY(transaction.Query("SELECT note FROM audit_checkpoints ORDER BY size DESC LIMIT 1", {}));
  return rows.empty() ? std::string() : TextIn(rows[0][0]);
}

Result<> InsertCheckpoint(store::Transaction& transaction, std::int64_t size, const std::string& note) {
  TRY(transaction.Execute("INSERT INTO audit_checkpoints (size, note) VALUES (?, ?)", {size, note}));
  // One a second would outgrow the rows. The newest binds all rows; old ones are of use only where they are
  // kept elsewhere.
  TRY(
      transaction.Execute("DELETE FROM audit_checkpoints WHERE size NOT IN "
                          "(SELECT size FROM audit_checkpoints ORDER BY size DESC LIMIT 64)",
                          {}));
  return Done{};
}

}  // namespace portcullis::audit

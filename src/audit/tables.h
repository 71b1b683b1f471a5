#pragma once

#include <functional>
#include <string>

#include "audit/audit.h"

namespace portcullis::audit {

/// Creates audit_rows and audit_checkpoints as needed.
Result<> CreateTables(store::Store& store);

/// Calls `visit` for the rows after `after`, in order, until it returns false. Says nothing about their
/// content: a database that someone has edited gives what they wrote. Error: AuditUnavailable.
Result<> ForEachRow(store::Transaction& transaction, std::int64_t after,
                    const std::function<bool(const Row&)>& visit);
/// The same with stored leaves alone, for the rows up to `last`.
Result<> ForEachLeaf(
    store::Transaction& transaction, std::int64_t last,
    const std::function<bool(std::int64_t sequence, const crypto::Sha256Digest& leaf)>& visit);

/// At most `limit` rows after `after`.
Result<std::vector<Row>> SelectRows(store::Transaction& transaction, std::int64_t after, std::int64_t limit);
/// Sequence and leaf of the last row; 0 and zeros where there is none.
Result<std::pair<std::int64_t, crypto::Sha256Digest>> SelectHead(store::Transaction& transaction);
Result<> InsertRow(store::Transaction& transaction, const Row& row);

/// The newest checkpoint's text, "" where there is none.
Result<std::string> SelectNewestCheckpoint(store::Transaction& transaction);
/// Stores a checkpoint and drops all but a few of the older ones.
Result<> InsertCheckpoint(store::Transaction& transaction, std::int64_t size, const std::string& note);

}  // namespace portcullis::audit

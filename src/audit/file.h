#pragma once

#include <string>
#include <vector>

#include "audit/audit.h"

namespace portcullis::audit {

/// Verifies a log where it is stored: every row, the hashes stored beside it, the log's own newest
/// checkpoint, and `extra_checkpoints` kept elsewhere, which alone can show that the end was cut off. The
/// broker may be running. Error: as store::OpenSqliteReadOnly, or AuditUnavailable where the database can't
/// be read to its end.
Result<VerifyReport> VerifyDatabase(const std::string& path, const crypto::Ed25519PublicKey& key,
                                    const std::vector<std::string>& extra_checkpoints);

/// Verifies an exported log: one canonical row a line. Error: NotFound where the file can't be read.
Result<VerifyReport> VerifyJsonLines(const std::string& path, const crypto::Ed25519PublicKey& key,
                                     const std::vector<std::string>& checkpoints);

}  // namespace portcullis::audit

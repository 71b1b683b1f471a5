#pragma once

#include <string>
#include <vector>

#include "audit/audit.h"

namespace portcullis::audit {

/// Verifies notes of one log: all under one key and of one origin. Empty texts are passed over.
/// Error: as VerifyCheckpoint; RequestMalformed where origins differ.
Result<std::vector<CheckpointView>> VerifyCheckpoints(const std::vector<std::string>& notes,
                                                      const crypto::Ed25519PublicKey& key);
/// What a checkpoint that does not verify makes of a log.
VerifyReport BrokenCheckpoint(const Error& error);

}  // namespace portcullis::audit

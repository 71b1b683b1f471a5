#pragma once

#include <string>
#include <string_view>

#include "audit/audit.h"

namespace portcullis::audit {

/// A row's text: enough for a decision that lists every check, with its reasons, of a machine with 16 GPUs.
inline constexpr std::size_t kMaxRowBytes = 256 * 1024;

/// A row as read from its canonical text, with what the text says of the time.
struct ParsedRow {
  Row row;
  WallTime time;
};

/// The canonical text of an entry at its place in the log.
/// Error: InternalError where ParseRow would refuse it: too large, a text above 4096 bytes, a member twice.
Result<Row> MakeRow(std::int64_t sequence, const crypto::Sha256Digest& previous, WallTime time,
                    const Entry& entry);

/// Reads a canonical row: exactly the members that MakeRow writes, in exactly its spelling, so that a row has
/// one text only. Error: RequestMalformed.
Result<ParsedRow> ParseRow(std::string_view canonical);

}  // namespace portcullis::audit

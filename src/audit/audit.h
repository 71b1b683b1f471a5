#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "codec/json.h"
#include "crypto/digest.h"
#include "crypto/jwk.h"
#include "store/store.h"

namespace portcullis::audit {

/// What happened: a decision, a revocation, a policy or key accepted, a recovery. `detail` holds digests,
/// codes and names only: no secret and no raw evidence.
struct Entry {
  std::string kind;  // "decision", "revocation", "policy", "key", "recovery", "start"
  std::string request_id;
  std::string verdict;   // "allow", "deny" or "" where none is given
  std::string reason;    // reason code or ""
  std::string subject;   // "<namespace>/<pod>" or object name
  std::string resource;  // key or policy name
  codec::Json detail;
};

struct Row {
  std::int64_t sequence;          // 1, 2, 3, ... without gap
  std::string canonical;          // RFC 8785 text of the row: sequence, time, entry, previous
  crypto::Sha256Digest leaf;      // SHA-256(0x00 || canonical): RFC 6962 leaf
  crypto::Sha256Digest previous;  // leaf of the row before; zeros for the first
};

/// Append-only log: rows chained by hash and leaves of an RFC 6962 tree with checkpoints as C2SP signed
/// notes. Thread-safe where the store is.
class Log {
 public:
  /// Opens the log in `store` (tables audit_rows, audit_checkpoints), reads its head and verifies from the
  /// last checkpoint on. Error: AuditUnavailable where the chain is broken or the store can't be read.
  static Result<std::unique_ptr<Log>> Open(store::Store& store, const Clock& clock, std::string origin,
                                           SecretBytes ed25519_seed);
  /// Appends within the caller's transaction: durable when that commits, gone when it rolls back. The
  /// sequence.
  Result<std::int64_t> Append(store::Transaction& transaction, const Entry& entry);
  /// Signs and stores a checkpoint where the log has grown since the last; called every second and at
  /// shutdown.
  Result<> Checkpoint();
  /// The newest checkpoint's text ("" while the log is empty).
  Result<std::string> LatestCheckpoint() const;
  Result<std::vector<Row>> Rows(std::int64_t after, std::size_t limit) const;
  crypto::Ed25519PublicKey public_key() const;
  const std::string& origin() const;
  ~Log();

 private:
  struct Impl;
  explicit Log(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// RFC 6962 tree head over leaves.
crypto::Sha256Digest MerkleRoot(const std::vector<crypto::Sha256Digest>& leaves);
/// C2SP signed note: "origin\nsize\nbase64 root\n\n— name base64(keyid||sig)\n".
std::string MakeCheckpoint(std::string_view origin, std::int64_t size, const crypto::Sha256Digest& root,
                           const SecretBytes& seed);
struct CheckpointView {
  std::string origin;
  std::int64_t size;
  crypto::Sha256Digest root;
};
/// Error: SignatureInvalid, RequestMalformed.
Result<CheckpointView> VerifyCheckpoint(std::string_view note, const crypto::Ed25519PublicKey& key);

/// What `portcullis audit verify` finds. `first_bad` is the first sequence that is changed, missing or out of
/// order.
struct VerifyReport {
  bool intact = false;
  std::int64_t rows = 0;
  std::int64_t signed_rows = 0;  // how many of them a checkpoint covers; what is above, a chain alone holds
  std::int64_t first_bad = 0;    // 0 where intact, or where a checkpoint itself is at fault
  std::string problem = {};      // "" when intact
};
/// Rows as JSONL (one canonical row a line, `portcullis audit export` / GET /v1/audit), or those of a SQLite
/// database; `newest` the newest checkpoint of the log itself, `since` one kept elsewhere (finds truncation).
VerifyReport VerifyRows(const std::vector<std::string>& canonical_rows, const crypto::Ed25519PublicKey& key,
                        const std::vector<std::string>& checkpoints);

}  // namespace portcullis::audit

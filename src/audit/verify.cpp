#include <algorithm>

#include "audit/audit.h"
#include "audit/chain.h"
#include "audit/checkpoints.h"

namespace portcullis::audit {

Result<std::vector<CheckpointView>> VerifyCheckpoints(const std::vector<std::string>& notes,
                                                      const crypto::Ed25519PublicKey& key) {
  std::vector<CheckpointView> views;
  for (const std::string& note : notes) {
    if (note.empty()) continue;  // what LatestCheckpoint() gives for an empty log
    views.push_back(TRY(VerifyCheckpoint(note, key)));
    if (views.back().origin != views.front().origin)
      return Error{ReasonCode::kRequestMalformed, "the checkpoints are of different logs",
                   Quoted(views.back().origin)};
  }
  return views;
}

VerifyReport VerifyRows(const std::vector<std::string>& canonical_rows, const crypto::Ed25519PublicKey& key,
                        const std::vector<std::string>& checkpoints) {
  auto views = VerifyCheckpoints(checkpoints, key);
  if (!views) return BrokenCheckpoint(views.error());
  ChainVerifier chain({}, std::move(*views));
  for (const std::string& row : canonical_rows)
    if (!chain.Add(row)) break;
  return chain.Finish();
}

VerifyReport BrokenCheckpoint(const Error& error) {
  return {.intact = false, .problem = "a checkpoint can't be believed: " + error.ToString()};
}

}  // namespace portcullis::audit

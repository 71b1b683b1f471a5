#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "audit/audit.h"
#include "audit/merkle.h"
#include "audit/row.h"

namespace portcullis::audit {

/// Where a log stands: its tree, and of its last row what the next one must fit.
struct ChainHead {
  CompactTree tree;
  crypto::Sha256Digest leaf{};
  WallTime time = WallTime::min();
};

/// Reads rows in their order and holds them to each other and to checkpoints. Finds the first that does not
/// fit; what comes after that is not looked at.
class ChainVerifier {
 public:
  /// `checkpoints` are verified ones of this log, in any order; those of heads before `start` can't be
  /// checked.
  explicit ChainVerifier(ChainHead start = {}, std::vector<CheckpointView> checkpoints = {});

  /// The next row. False where the log is broken and no more rows need to be read.
  bool Add(std::string_view canonical);
  /// Finds the log broken at a row for a reason of the caller's.
  void Fail(std::int64_t sequence, std::string problem);
  VerifyReport Finish();
  const ChainHead& head() const { return head_; }

 private:
  /// Something is wrong that the row after next can place better.
  enum class Doubt {
    kNone,
    kLink,  // the last row does not fit the one in front of it: which of the two was changed?
    kRoot,  // the tree is not the one that a checkpoint covers: was the last row changed, or one further
            // back?
  };
  bool Settle(const ParsedRow* next);
  void SettleLink(const ParsedRow* next);
  void SettleRoot(const ParsedRow* next);
  bool CheckPlace(const ParsedRow& row);
  void CompareCheckpoints();
  void Break(std::int64_t sequence, std::string problem);

  ChainHead head_;
  std::vector<CheckpointView> checkpoints_;  // by size; those before next_checkpoint_ have been compared
  std::size_t next_checkpoint_ = 0;
  Doubt doubt_ = Doubt::kNone;
  VerifyReport report_{.intact = true};
};

}  // namespace portcullis::audit

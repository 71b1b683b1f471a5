#include "audit/chain.h"

#include <algorithm>

namespace portcullis::audit {

ChainVerifier::ChainVerifier(ChainHead start, std::vector<CheckpointView> checkpoints)
    : head_(std::move(start)), checkpoints_(std::move(checkpoints)) {
  std::ranges::stable_sort(checkpoints_, {}, &CheckpointView::size);
  report_.rows = head_.tree.size();
  CompareCheckpoints();
}

void ChainVerifier::Fail(std::int64_t sequence, std::string problem) {
  if (!report_.intact) return;
  report_.intact = false;
  report_.first_bad = sequence;
  report_.problem = std::move(problem);
}

bool ChainVerifier::Add(std::string_view canonical) {
  if (!report_.intact) return false;
  const std::int64_t expected = head_.tree.size() + 1;
  const auto parsed = ParseRow(canonical);
  if (!SettleDoubt(parsed ? &*parsed : nullptr)) return false;
  if (!parsed) {
    Fail(expected, "the row is not well formed: " + parsed.error().ToString());
    return false;
  }
  const Row& row = parsed->row;
  if (row.sequence != expected) {
    Fail(expected, row.sequence > expected ? "the row is missing or out of order"
                                           : "a row stands here twice or out of order");
    return false;
  }
  if (parsed->time < head_.time) {
    Fail(expected, "the row's time is before that of the row in front of it");
    return false;
  }
  if (row.previous != head_.leaf) {
    doubted_ = expected;
    if (expected == 1) return SettleDoubt(nullptr);
  }
  head_.tree.Add(row.leaf);
  head_.leaf = row.leaf;
  head_.time = parsed->time;
  report_.rows = expected;
  if (!doubted_) CompareCheckpoints();
  return report_.intact;
}

// False where the log is broken.
bool ChainVerifier::SettleDoubt(const ParsedRow* next) {
  if (!doubted_) return true;
  const std::int64_t doubted = *doubted_;
  const bool fits_next = next != nullptr && next->row.previous == head_.leaf;
  if (doubted == 1)
    Fail(1, "the first row does not start the chain");
  else if (fits_next || next == nullptr)
    Fail(doubted - 1, "the row is not the one that the row after it was chained to");
  else
    Fail(doubted, "the row fits neither the row before nor the row after it");
  return false;
}

void ChainVerifier::CompareCheckpoints() {
  const std::int64_t size = head_.tree.size();
  for (; next_checkpoint_ < checkpoints_.size() && checkpoints_[next_checkpoint_].size <= size;
       ++next_checkpoint_) {
    const CheckpointView& checkpoint = checkpoints_[next_checkpoint_];
    if (checkpoint.size < size) continue;
    if (checkpoint.root != head_.tree.Root())
      return Fail(report_.signed_rows + 1, "a row up to " + std::to_string(size) +
                                               " is not the one that the checkpoint of that size covers");
    report_.signed_rows = size;
  }
}

VerifyReport ChainVerifier::Finish() {
  if (report_.intact) (void)SettleDoubt(nullptr);
  if (report_.intact && next_checkpoint_ < checkpoints_.size())
    Fail(report_.rows + 1,
         "the log was cut off: a checkpoint covers " + std::to_string(checkpoints_.back().size) + " rows");
  return report_;
}

}  // namespace portcullis::audit

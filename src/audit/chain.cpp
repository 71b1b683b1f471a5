#include "audit/chain.h"

#include <algorithm>

namespace portcullis::audit {

ChainVerifier::ChainVerifier(ChainHead start, std::vector<CheckpointView> checkpoints)
    : head_(std::move(start)), checkpoints_(std::move(checkpoints)) {
  std::ranges::stable_sort(checkpoints_, {}, &CheckpointView::size);
  report_.rows = head_.tree.size();
  CompareCheckpoints();
}

bool ChainVerifier::Add(std::string_view canonical) {
  const auto parsed = ParseRow(canonical);
  if (!Settle(parsed ? &*parsed : nullptr)) return false;
  if (!parsed) {
    Break(head_.tree.size() + 1, "the row is not well formed: " + parsed.error().ToString());
    return false;
  }
  if (!CheckPlace(*parsed)) return false;
  head_.tree.Add(parsed->row.leaf);
  head_.leaf = parsed->row.leaf;
  head_.time = parsed->time;
  report_.rows = head_.tree.size();
  if (doubt_ == Doubt::kNone) CompareCheckpoints();
  return true;
}

/// Whether the row may stand after the last one. A link that does not fit is a doubt, not yet a finding.
bool ChainVerifier::CheckPlace(const ParsedRow& parsed) {
  const std::int64_t expected = head_.tree.size() + 1;
  if (parsed.row.sequence > expected)
    Break(expected, "the row is missing or out of order");
  else if (parsed.row.sequence < expected)
    Break(expected, "a row stands here twice or out of order");
  else if (parsed.row.previous != head_.leaf && expected == 1)
    Break(expected, "the first row does not start the chain");
  else if (parsed.row.previous != head_.leaf)
    doubt_ = Doubt::kLink;
  else if (parsed.time < head_.time)
    Break(expected, "the row's time is before that of the row in front of it");
  return report_.intact;
}

void ChainVerifier::CompareCheckpoints() {
  const std::int64_t size = head_.tree.size();
  for (; next_checkpoint_ < checkpoints_.size(); ++next_checkpoint_) {
    const CheckpointView& checkpoint = checkpoints_[next_checkpoint_];
    if (checkpoint.size > size) return;
    if (checkpoint.size < size) continue;
    if (checkpoint.root == head_.tree.Root())
      report_.signed_rows = size;
    else
      doubt_ = Doubt::kRoot;
  }
}

/// Turns a doubt into a finding, with the help of the next row where there is one. False where the log is
/// broken.
bool ChainVerifier::Settle(const ParsedRow* next) {
  if (doubt_ == Doubt::kLink) SettleLink(next);
  if (doubt_ == Doubt::kRoot) SettleRoot(next);
  doubt_ = Doubt::kNone;
  return report_.intact;
}

void ChainVerifier::SettleLink(const ParsedRow* next) {
  const std::int64_t last = head_.tree.size();
  if (next != nullptr && next->row.previous != head_.leaf)
    Break(last, "the row fits neither the row before nor the row after it");
  else
    Break(last - 1, "the row is not the one that the row after it was chained to");
}

void ChainVerifier::SettleRoot(const ParsedRow* next) {
  const std::int64_t last = head_.tree.size();
  if (next != nullptr && next->row.previous != head_.leaf)
    Break(last, "the row is not the one that the row after it was chained to");
  else
    Break(std::min(last, report_.signed_rows + 1),
          "a row up to " + std::to_string(last) + " is not the one that the checkpoint of that size covers");
}

void ChainVerifier::Fail(std::int64_t sequence, std::string problem) {
  if (Settle(nullptr)) Break(sequence, std::move(problem));
}

void ChainVerifier::Break(std::int64_t sequence, std::string problem) {
  if (!report_.intact) return;
  report_.intact = false;
  report_.first_bad = sequence;
  report_.problem = std::move(problem);
}

VerifyReport ChainVerifier::Finish() {
  if (Settle(nullptr) && next_checkpoint_ < checkpoints_.size())
    Break(report_.rows + 1,
          "the log was cut off: a checkpoint covers " + std::to_string(checkpoints_.back().size) + " rows");
  return report_;
}

}  // namespace portcullis::audit

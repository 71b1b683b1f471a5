#include <algorithm>
#include <filesystem>
#include <iterator>

#include "base/log.h"
#include "endorsement/folder.h"
#include "endorsement/store.h"

namespace portcullis::endorsement {

Result<> Store::Reload() {
  const std::lock_guard writing(writing_);
  if (std::error_code error; !std::filesystem::exists(directory_, error)) return Done{};
  const auto is_new = [this](const FoundFile& file) {
    std::string& stamp = stamps_[file.path];
    if (stamp == file.stamp) return false;
    stamp = file.stamp;
    const auto vcek = VcekAt(file.path);
    if (!vcek) return true;
    // Thousands of these: each is read, and verified, when it is first asked for.
    const std::lock_guard lock(mutex_);
    IndexVcekLocked(*vcek, file.path, false);
    return false;
  };
  Contents contents = TRY(ReadContents(directory_, tdx::EvaluationSet::kStandard, is_new));
  if (!contents.chains.empty() && !unsound_.empty()) {
    // What did not verify may have waited for just this chain.
    for (const std::string& file : unsound_) stamps_.erase(file);
    unsound_.clear();
    Contents again = TRY(ReadContents(directory_, tdx::EvaluationSet::kStandard, is_new));
    std::ranges::move(again.pieces, std::back_inserter(contents.pieces));
  }
  for (std::string& chain : contents.chains)
    if (std::ranges::find(chains_, chain) == chains_.end()) chains_.push_back(std::move(chain));
  for (const Piece& piece : contents.pieces) TakeInPiece(piece);
  return Done{};
}

void Store::TakeInPiece(const Piece& piece) {
  const Claimed& claimed = piece.claimed;
  if (const auto* vcek = std::get_if<VcekId>(&claimed.id)) {
    const std::lock_guard lock(mutex_);
    if (!vceks_.contains(PathOf(*vcek))) IndexVcekLocked(*vcek, piece.file, false);
    return;
  }
  bool sound = TakeInOne(claimed);
  // A file that lies in no set's folder counts for both.
  if (const auto early = ForEarlySet(piece)) sound = TakeInOne(*early) && sound;
  if (sound) return;
  Log(LogLevel::kWarning, "stored collateral does not verify and is not used", {{"file", piece.file}});
  unsound_.push_back(piece.file);
}

bool Store::TakeInOne(const Claimed& piece) {
  auto verified = Verify(piece, chains_, anchors_, WithinWindow(piece.facts, clock_.Now()));
  if (!verified) return false;
  const std::lock_guard lock(mutex_);
  const auto accepted = GetLocked(piece.id);
  // An older file beside the one in use is no defect: folders of several issue days are common.
  if (accepted != nullptr && !RefuseOlder(verified->facts, accepted->facts)) return true;
  if (accepted == nullptr && documents_.size() >= kMaxDocuments) return false;
  IndexLocked(std::make_shared<const Listed>(Listed{std::move(verified->document), verified->facts}));
  return true;
}

}  // namespace portcullis::endorsement

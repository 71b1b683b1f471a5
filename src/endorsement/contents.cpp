#include "endorsement/contents.h"

#include <algorithm>
#include <filesystem>

namespace portcullis::endorsement {
namespace {

constexpr std::size_t kMaxChains = 64;

std::optional<tdx::EvaluationSet> SetNamedBy(const std::string& path) {
  for (const std::filesystem::path& part : std::filesystem::path(path).parent_path())
    for (const auto set : {tdx::EvaluationSet::kStandard, tdx::EvaluationSet::kEarly})
      if (part == NameOf(set)) return set;
  return std::nullopt;
}

void TakeIn(const FoundFile& file, Bytes content, tdx::EvaluationSet fallback, Contents& into) {
  const auto named = SetNamedBy(file.path);
  Recognised recognised = Recognise(content, named.value_or(fallback));
  if (auto* claimed = std::get_if<Claimed>(&recognised)) {
    into.pieces.push_back({std::move(*claimed), file.path, named.has_value()});
    return;
  }
  const auto* chain = std::get_if<IssuerChain>(&recognised);
  if (chain != nullptr && into.chains.size() < kMaxChains)
    into.chains.push_back(chain->pem);
  else
    into.skipped.push_back(file.path);
}

}  // namespace

Result<Contents> ReadContents(const std::string& directory, tdx::EvaluationSet set,
                              const std::function<bool(const FoundFile&)>& wanted) {
  Contents contents;
  for (const FoundFile& file : TRY(FilesBelow(directory))) {
    if (wanted && !wanted(file)) continue;
    const auto content =
        ReadBounded((std::filesystem::path(directory) / file.path).string(), kMaxDocumentBytes);
    if (content)
      TakeIn(file, *content, set, contents);
    else
      contents.skipped.push_back(file.path);
  }
  return contents;
}

Result<Verified> Verify(const Claimed& piece, const std::vector<std::string>& chains, const Anchors& anchors,
                        WallTime now) {
  Document document{piece.id, piece.body, {}};
  if (!IsIntel(piece.id)) {
    const Facts facts = TRY(Examine(document, anchors, now));
    return Verified{std::move(document), facts};
  }
  Error last{ReasonCode::kEndorsementMissing, "there is no issuer chain for it"};
  for (const std::string& chain : chains) {
    document.chain = chain;
    auto facts = Examine(document, anchors, now);
    if (facts) return Verified{std::move(document), *facts};
    // Of many chains most are another document's: what its own says is worth telling.
    if (last.code == ReasonCode::kEndorsementMissing || facts.error().code != ReasonCode::kChainUntrusted)
      last = std::move(facts).error();
  }
  return last;
}

}  // namespace portcullis::endorsement

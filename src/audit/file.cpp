#include "audit/file.h"

#include <fstream>

#include "audit/chain.h"
#include "audit/checkpoints.h"
#include "audit/tables.h"

namespace portcullis::audit {
namespace {

/// Holds what is stored beside a row's text to the text; then the row to its neighbours.
bool AddStored(ChainVerifier& chain, const Row& stored) {
  if (LeafHash(AsBytes(stored.canonical)) != stored.leaf) {
    chain.Fail(chain.head().tree.size() + 1, "the row's text is not the one that was stored");
    return false;
  }
  if (!chain.Add(stored.canonical)) return false;
  if (stored.sequence == chain.head().tree.size()) return true;
  chain.Fail(chain.head().tree.size(), "the row is stored under another sequence");
  return false;
}

}  // namespace

Result<VerifyReport> VerifyDatabase(const std::string& path, const crypto::Ed25519PublicKey& key,
                                    const std::vector<std::string>& extra_checkpoints) {
  const std::unique_ptr<const store::Store> store = TRY(store::OpenSqliteReadOnly(path));
  VerifyReport report;
  const auto verify = [&](store::Transaction& transaction) -> Result<> {
    std::vector<std::string> notes = extra_checkpoints;
    notes.push_back(TRY(SelectNewestCheckpoint(transaction)));
    auto views = VerifyCheckpoints(notes, key);
    if (!views) {
      report = BrokenCheckpoint(views.error());
      return Done{};
    }
    ChainVerifier chain({}, std::move(*views));
    const auto add = [&chain](const Row& row) { return AddStored(chain, row); };
    TRY(ForEachRow(transaction, 0, add));
    report = chain.Finish();
    return Done{};
  };
  TRY(store->Read(verify));
  return report;
}

Result<VerifyReport> VerifyJsonLines(const std::string& path, const crypto::Ed25519PublicKey& key,
                                     const std::vector<std::string>& checkpoints) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return Error{ReasonCode::kNotFound, "the file can't be read", Quoted(path)};
  auto views = VerifyCheckpoints(checkpoints, key);
  if (!views) return BrokenCheckpoint(views.error());

  ChainVerifier chain({}, std::move(*views));
  std::string line(kMaxRowBytes + 2, '\0');  // a row that is one too long, and the end that getline writes
  while (in.getline(line.data(), static_cast<std::streamsize>(line.size()))) {
    const auto consumed = static_cast<std::size_t>(in.gcount());
    if (!chain.Add(std::string_view(line.data(), in.eof() ? consumed : consumed - 1))) break;
  }
  if (in.bad()) return Error{ReasonCode::kNotFound, "the file can't be read to its end", Quoted(path)};
  // getline gives up, not at the end, on a line that is too long.
  if (in.fail() && !in.eof()) chain.Fail(chain.head().tree.size() + 1, "the row is above its size limit");
  return chain.Finish();
}

}  // namespace portcullis::audit

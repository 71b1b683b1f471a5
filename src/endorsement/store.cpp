#include "endorsement/store.h"

#include <algorithm>

#include "base/log.h"
#include "codec/text.h"
#include "crypto/digest.h"

namespace portcullis::endorsement {
namespace {

constexpr std::size_t kChainNameDigits = 16;

std::string ChainPath(const std::string& chain) {
  const std::string digest = codec::EncodeHex(crypto::Sha256(AsBytes(chain)).bytes());
  return "intel/chains/" + digest.substr(0, kChainNameDigits) + ".pem";
}

/// A list that loses entries has un-revoked somebody: rare, and worth a look.
void WarnIfShrunk(const Id& id, const Facts& fresh, const Facts& accepted) {
  if (!fresh.listed || !accepted.listed || *fresh.listed >= *accepted.listed) return;
  Log(LogLevel::kWarning, "a revocation list has fewer entries than the one before",
      {{"document", PathOf(id)},
       {"before", std::to_string(*accepted.listed)},
       {"now", std::to_string(*fresh.listed)}});
}

}  // namespace

Result<std::unique_ptr<Store>> Store::Open(const std::string& directory, const Anchors& anchors,
                                           const Clock& clock) {
  std::unique_ptr<Store> store(new Store(directory, anchors, clock));
  TRY(store->Reload());
  return store;
}

Result<> Store::Write(const Document& document) {
  // The chain first: a document without its chain can't be verified when it is read.
  if (!document.chain.empty() && std::ranges::find(chains_, document.chain) == chains_.end()) {
    TRY(WriteWhole(Below(ChainPath(document.chain)), AsBytes(document.chain)));
    chains_.push_back(document.chain);
  }
  return WriteWhole(Below(PathOf(document.id)), document.body);
}

Result<Store::Installed> Store::Install(const Document& document) {
  const Facts facts = TRY(Examine(document, anchors_, clock_.Now()));
  const std::lock_guard writing(writing_);
  const auto* const vcek = std::get_if<VcekId>(&document.id);
  const auto accepted = vcek != nullptr ? GetVcek(*vcek) : Get(document.id);
  if (accepted) {
    if (accepted->document.body == document.body) return Installed::kUnchanged;
    TRY(RefuseOlder(facts, accepted->facts));
    WarnIfShrunk(document.id, facts, accepted->facts);
  }
  if (vcek == nullptr && !accepted && List().size() >= kMaxDocuments)
    return Error{ReasonCode::kOverloaded, "the collateral store is full"};
  TRY(Write(document));
  const std::lock_guard lock(mutex_);
  if (vcek != nullptr)
    IndexVcekLocked(*vcek, PathOf(document.id), true);
  else
    IndexLocked(std::make_shared<const Listed>(Listed{document, facts}));
  return Installed::kNew;
}

void Store::IndexVcekLocked(const VcekId& id, const std::string& file, bool proven) {
  const std::string key = PathOf(id);
  if (!vceks_.contains(key)) MakeRoomLocked();
  vceks_.insert_or_assign(key, VcekEntry{id, file, ++uses_, proven});
  missed_.erase(key);
}

void Store::MakeRoomLocked() {
  if (vceks_.size() < kMaxVceks) return;
  const auto idle =
      std::ranges::min_element(vceks_, {}, [](const auto& entry) { return entry.second.last_use; });
  Remove(Below(idle->second.file));
  vceks_.erase(idle);
}

void Store::IndexLocked(std::shared_ptr<const Listed> listed) {
  const Id& id = listed->document.id;
  if (const auto* amd = std::get_if<AmdCrlId>(&id)) {
    // It passed the gate, so it parses.
    if (auto crl = crypto::Crl::Parse(listed->document.body))
      crls_[amd->product] = std::make_shared<const crypto::Crl>(std::move(crl).value());
  } else {
    assembled_.clear();
  }
  const std::string key = PathOf(id);
  missed_.erase(key);
  documents_[key] = std::move(listed);
}

std::shared_ptr<const Store::Listed> Store::GetLocked(const Id& id) const {
  const auto found = documents_.find(PathOf(id));
  return found == documents_.end() ? nullptr : found->second;
}

std::shared_ptr<const Store::Listed> Store::Get(const Id& id) const {
  const std::lock_guard lock(mutex_);
  return GetLocked(id);
}

std::vector<std::shared_ptr<const Store::Listed>> Store::List() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<const Listed>> all;
  for (const auto& [path, listed] : documents_) all.push_back(listed);
  return all;
}

std::vector<VcekId> Store::Vceks() const {
  std::vector<std::pair<std::string, VcekId>> named;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [path, entry] : vceks_) named.emplace_back(path, entry.id);
  }
  std::ranges::sort(named, {}, [](const auto& one) { return one.first; });
  std::vector<VcekId> all;
  for (const auto& [path, id] : named) all.push_back(id);
  return all;
}

void Store::NoteMissedLocked(const Id& id) const {
  if (missed_.size() < kMaxMissed) missed_.emplace(PathOf(id), id);
}

std::vector<Id> Store::TakeMissed() {
  const std::lock_guard lock(mutex_);
  std::vector<Id> taken;
  for (const auto& [path, id] : missed_) taken.push_back(id);
  missed_.clear();
  return taken;
}

}  // namespace portcullis::endorsement

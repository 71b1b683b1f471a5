#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>

#include "audit/audit.h"
#include "audit/chain.h"
#include "audit/tables.h"
#include "base/log.h"

namespace portcullis::audit {
namespace {

constexpr std::size_t kMaxRowsAtOnce = 1000;

Error Broken(std::int64_t sequence, const std::string& problem) {
  return {ReasonCode::kAuditUnavailable, "the audit log is broken",
          "row " + std::to_string(sequence) + ": " + problem};
}

/// The signed note's rules for a key name, and one line only.
bool IsOrigin(std::string_view text) {
  return !text.empty() && text.size() <= 255 &&
         std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f && c != '+'; });
}

struct Followed {
  ChainHead head;
  VerifyReport report;
};

/// Reads the rows after `start` and holds them to it.
Result<Followed> Follow(store::Transaction& transaction, const ChainHead& start) {
  ChainVerifier chain(start);
  const auto add = [&chain](const Row& row) { return chain.Add(row.canonical); };
  TRY(ForEachRow(transaction, start.tree.size(), add));
  const VerifyReport report = chain.Finish();
  return Followed{chain.head(), report};
}

/// The head at the newest checkpoint, rebuilt from the stored leaves and held to the checkpoint's root.
Result<ChainHead> HeadAt(store::Transaction& transaction, const CheckpointView& checkpoint) {
  ChainHead head;
  const auto add = [&head](std::int64_t sequence, const crypto::Sha256Digest& leaf) {
    if (sequence != head.tree.size() + 1) return false;
    head.tree.Add(leaf);
    head.leaf = leaf;
    return true;
  };
  TRY(ForEachLeaf(transaction, checkpoint.size, add));
  if (head.tree.size() != checkpoint.size)
    return Broken(head.tree.size() + 1, "a row that a checkpoint covers is missing");
  if (head.tree.Root() != checkpoint.root)
    return Broken(1, "the rows are not those that the newest checkpoint covers");
  if (checkpoint.size == 0) return head;

  const auto last = TRY(SelectRows(transaction, checkpoint.size - 1, 1));
  const auto parsed = ParseRow(last.at(0).canonical);
  if (!parsed || parsed->row.leaf != head.leaf)
    return Broken(checkpoint.size, "the row's text is not the one that was stored");
  head.time = parsed->time;
  return head;
}

}  // namespace

struct Log::Impl {
  Impl(store::Store& the_store, const Clock& the_clock, std::string the_origin, SecretBytes the_seed)
      : store(the_store),
        clock(the_clock),
        origin(std::move(the_origin)),
        seed(std::move(the_seed)),
        key(crypto::Ed25519PublicOf(seed)) {}

  store::Store& store;
  const Clock& clock;
  const std::string origin;
  const SecretBytes seed;
  const crypto::Ed25519PublicKey key;

  std::atomic<bool> broken{false};  // the log was changed under our feet: nothing more is written or signed
  std::atomic<WallTime> latest_time{WallTime::min()};

  std::mutex signing;  // one checkpoint at a time; guards signed_head
  ChainHead signed_head;
  mutable std::mutex note_mutex;  // never held while the store works: a transaction may ask for the note
  std::string newest_note;

  std::string Note() const {
    const std::lock_guard lock(note_mutex);
    return newest_note;
  }

  Error ChangedFromOutside() {
    broken = true;
    return {ReasonCode::kAuditUnavailable, "the audit log was changed from outside"};
  }

  /// The time for a row: never before the last row's, so that a row that goes back in time was not written
  /// here.
  WallTime RowTime() {
    const WallTime now = clock.Now();
    WallTime latest = latest_time.load();
    while (now > latest && !latest_time.compare_exchange_weak(latest, now)) {
    }
    if (now < latest)
      portcullis::Log(LogLevel::kWarning, "the clock is behind the last audit row, whose time is used");
    return std::max(now, latest);
  }

  Result<> Load(store::Transaction& transaction) {
    newest_note = TRY(SelectNewestCheckpoint(transaction));
    if (!newest_note.empty()) {
      const auto checkpoint = VerifyCheckpoint(newest_note, key);
      if (!checkpoint)
        return Error{ReasonCode::kAuditUnavailable, "the audit log's newest checkpoint can't be believed",
                     checkpoint.error().ToString()};
      if (checkpoint->origin != origin)
        return Error{ReasonCode::kConfigurationInvalid, "the audit log was begun under another origin",
                     Quoted(checkpoint->origin)};
      signed_head = TRY(HeadAt(transaction, *checkpoint));
    }
    const Followed followed = TRY(Follow(transaction, signed_head));
    if (!followed.report.intact) return Broken(followed.report.first_bad, followed.report.problem);
    latest_time = followed.head.time;
    return Done{};
  }

  /// What is read here is durable: SQLite shows a commit to readers after its sync.
  Result<> FollowDurable(store::Transaction& transaction, ChainHead& head) {
    Followed followed = TRY(Follow(transaction, signed_head));
    if (!followed.report.intact) return ChangedFromOutside();
    head = std::move(followed.head);
    return Done{};
  }

  /// One log, one line of heads: another writer of checkpoints here would be a fork.
  Result<> Persist(store::Transaction& transaction, std::int64_t size, const std::string& note) {
    if (TRY(SelectNewestCheckpoint(transaction)) != Note()) return ChangedFromOutside();
    return InsertCheckpoint(transaction, size, note);
  }
};

Log::Log(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Log::~Log() = default;

Result<std::unique_ptr<Log>> Log::Open(store::Store& store, const Clock& clock, std::string origin,
                                       SecretBytes ed25519_seed) {
  if (!IsOrigin(origin))
    return Error{ReasonCode::kConfigurationInvalid,
                 "an audit origin is 1 to 255 printable ASCII characters without space and +",
                 Quoted(origin)};
  TRY(CreateTables(store));
  auto impl = std::make_unique<Impl>(store, clock, std::move(origin), std::move(ed25519_seed));
  TRY(store.Read(std::bind_front(&Impl::Load, impl.get())));
  return std::unique_ptr<Log>(new Log(std::move(impl)));
}

Result<std::int64_t> Log::Append(store::Transaction& transaction, const Entry& entry) {
  if (impl_->broken) return impl_->ChangedFromOutside();
  const auto [last, leaf] = TRY(SelectHead(transaction));
  const Row row = TRY(MakeRow(last + 1, leaf, impl_->RowTime(), entry));
  TRY(InsertRow(transaction, row));
  return row.sequence;
}

Result<> Log::Checkpoint() {
  const std::lock_guard lock(impl_->signing);
  if (impl_->broken) return impl_->ChangedFromOutside();
  ChainHead head;
  TRY(impl_->store.Read(
      [this, &head](auto& transaction) { return impl_->FollowDurable(transaction, head); }));
  const std::int64_t size = head.tree.size();
  if (size == impl_->signed_head.tree.size()) return Done{};

  std::string note = MakeCheckpoint(impl_->origin, size, head.tree.Root(), impl_->seed);
  TRY(impl_->store.Write([&](auto& transaction) { return impl_->Persist(transaction, size, note); }));
  // Only now, when it is durable, does anyone get to see it.
  impl_->signed_head = std::move(head);
  const std::lock_guard note_lock(impl_->note_mutex);
  impl_->newest_note = std::move(note);
  return Done{};
}

Result<std::string> Log::LatestCheckpoint() const { return impl_->Note(); }

Result<std::vector<Row>> Log::Rows(std::int64_t after, std::size_t limit) const {
  const auto at_most = static_cast<std::int64_t>(std::min(limit, kMaxRowsAtOnce));
  std::vector<Row> rows;
  const auto select = [&](store::Transaction& transaction) -> Result<> {
    rows = TRY(SelectRows(transaction, after, at_most));
    return Done{};
  };
  TRY(impl_->store.Read(select));
  return rows;
}

crypto::Ed25519PublicKey Log::public_key() const { return impl_->key; }
const std::string& Log::origin() const { return impl_->origin; }

}  // namespace portcullis::audit

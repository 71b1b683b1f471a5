#include "release/broker.h"

#include "base/log.h"
#include "codec/text.h"

namespace portcullis::release {
namespace {

using codec::Json;

constexpr std::size_t kMaxCachedPolicies = 1024;
constexpr std::int64_t kKeptNotices = 100'000;
constexpr std::int64_t kExpiredAtOnce = 100;  // one transaction, which others wait for
constexpr std::chrono::minutes kCollectionInterval{1};

}  // namespace

Result<std::unique_ptr<Broker>> Broker::Open(const BrokerPorts& ports) {
  TRY(MigrateRecords(ports.store));
  std::unique_ptr<Broker> broker(new Broker(ports));
  broker->model_keys_ = TRY(keystore::ModelKeys::Open(ports.store, ports.kek, ports.identity.wrapping));
  TRY(ports.store.Write([&](store::Transaction& transaction) -> Result<> {
    TRY(ports.audit.Append(
        transaction,
        {.kind = "start",
         .request_id = "",
         .verdict = "",
         .reason = "",
         .subject = "portcullis-kbs",
         .resource = "",
         .detail = Json::Object({{"wrappingKey", ports.identity.wrapping.public_key().Thumbprint()}})}));
    return Done{};
  }));
  return broker;
}

Result<std::shared_ptr<const AcceptedPolicy>> Broker::LoadPolicy(store::Transaction& transaction,
                                                                 const std::string& namespace_name,
                                                                 const std::string& name) {
  const auto in_force = TRY(FindPolicyInForce(transaction, namespace_name, name));
  if (!in_force) return std::shared_ptr<const AcceptedPolicy>();
  {
    const std::lock_guard lock(policy_mutex_);
    const auto found = policies_by_digest_.find(*in_force);
    // A document names its policy: under another name it is no hit, and will not be found intact.
    if (found != policies_by_digest_.end() && found->second->policy.name == name &&
        found->second->policy.namespace_name == namespace_name)
      return found->second;
  }
  const auto row = TRY(FindPolicyRow(transaction, namespace_name, name));
  if (!row) return Error{ReasonCode::kInternalError, "a policy in force is not found"};
  auto accepted = VerifyAccepted(namespace_name, name, *row);
  if (!accepted) {
    Log(LogLevel::kError, "a stored policy can't be used",
        {{"policy", namespace_name + "/" + name}, {"error", accepted.error().ToString()}});
    return accepted.error();
  }
  const std::lock_guard lock(policy_mutex_);
  if (policies_by_digest_.size() >= kMaxCachedPolicies) policies_by_digest_.clear();
  return policies_by_digest_.try_emplace(*in_force, *std::move(accepted)).first->second;
}

Result<Broker::InForce> Broker::PolicyOf(store::Transaction& transaction, const Registration& who) {
  auto policy = LoadPolicy(transaction, who.namespace_name, who.policy);
  if (policy) return InForce{*std::move(policy)};
  if (policy.error().code == ReasonCode::kPolicySignatureInvalid) return InForce{nullptr, true};
  return policy.error();
}

Result<bool> Broker::PutRelease(const Registration& registration) {
  bool is_new = false;
  Snapshot snapshot;
  TRY(ports_.store.Write([&](store::Transaction& transaction) -> Result<> {
    const auto existing = TRY(FindRelease(transaction, registration.id));
    if (!existing) {
      is_new = true;
      TRY(InsertRelease(transaction, registration));
      // What can't be read now is read, and its defect told, when it is needed.
      if (auto read = ReadSnapshotIn(transaction, registration.id)) snapshot = *std::move(read);
      return Done{};
    }
    const Registration& who = existing->registration;
    const bool same =
        who.cluster == registration.cluster && who.namespace_name == registration.namespace_name &&
        who.pod == registration.pod && who.pod_uid == registration.pod_uid &&
        who.service_account == registration.service_account && who.policy == registration.policy &&
        who.key == registration.key && who.init_data_digest == registration.init_data_digest;
    if (!same)
      return Error{ReasonCode::kConflict, "the release id is registered with other content", registration.id};
    return Done{};
  }));
  KeepForFirstAttestation(std::move(snapshot));
  return is_new;
}

Result<Release> Broker::GetRelease(const std::string& id) {
  std::optional<Release> release;
  TRY(ports_.store.Read([&](store::Transaction& transaction) -> Result<> {
    release = TRY(FindRelease(transaction, id));
    return Done{};
  }));
  if (!release) return Error{ReasonCode::kNotFound, "no such release", Quoted(id)};
  return *std::move(release);
}

Json Broker::Shown(const Release& release) const {
  const bool in_force = !ports_.store.latched() && ports_.clock.Now() <= release.lease_expires;
  return release.ToJson(in_force ? Release::SealedKey::kShown : Release::SealedKey::kWithheld);
}

Result<Json> Broker::ListReleases(const ReleasePage& page, View view) {
  codec::JsonArray items;
  TRY(ports_.store.Read([&](store::Transaction& transaction) -> Result<> {
    if (view == View::kSummary) {
      items = TRY(ReleaseSummaries(transaction, page));
      return Done{};
    }
    for (const std::string& id : TRY(ReleaseIds(transaction, page)))
      if (const auto release = TRY(FindRelease(transaction, id))) items.push_back(Shown(*release));
    return Done{};
  }));
  const bool more = !items.empty() && std::ssize(items) == page.limit;
  const std::string next(more ? items.back().TextAt({"id"}) : std::string_view());
  return Json::Object({{"releases", std::move(items)}, {"next", next}});
}

Json Broker::IdentityDocument(std::string_view guest_url) const {
  return Json::Object({{"wrappingKey", ports_.identity.wrapping.public_key().ToJwk()},
                       {"signingKey", ports_.identity.signing.public_key().ToJwk()},
                       {"auditKey", codec::EncodeBase64(ports_.audit.public_key().bytes())},
                       {"auditOrigin", ports_.audit.origin()},
                       {"guestUrl", guest_url},
                       {"version", "0.1.0"}});
}

Result<Json> Broker::Decisions(std::int64_t after, std::chrono::seconds wait, std::int64_t limit) {
  const auto deadline = std::chrono::steady_clock::now() + wait;
  for (;;) {
    std::uint64_t seen;
    {
      const std::lock_guard lock(wait_mutex_);
      seen = change_count_;
    }
    std::vector<DecisionNotice> notices;
    std::int64_t newest = 0;
    TRY(ports_.store.Read([&](store::Transaction& transaction) -> Result<> {
      notices = TRY(NoticesAfter(transaction, after, limit));
      newest = TRY(NewestNotice(transaction));
      return Done{};
    }));
    std::unique_lock lock(wait_mutex_);
    // A reader ahead of us has seen what a restored database no longer knows.
    const bool ahead = after > newest;
    if (!notices.empty() || ahead || interrupted_ || std::chrono::steady_clock::now() >= deadline) {
      codec::JsonArray items;
      for (const DecisionNotice& notice : notices)
        items.push_back(Json::Object({{"sequence", notice.sequence},
                                      {"releaseId", notice.release_id},
                                      {"cluster", notice.cluster},
                                      {"namespace", notice.namespace_name},
                                      {"verdict", notice.verdict},
                                      {"time", notice.time}}));
      const std::int64_t next = notices.empty() ? std::min(after, newest) : notices.back().sequence;
      return Json::Object({{"decisions", std::move(items)}, {"next", next}});
    }
    changed_.wait_until(lock, deadline, [&] { return change_count_ != seen || interrupted_; });
  }
}

void Broker::NotifyWaiters() {
  {
    const std::lock_guard lock(wait_mutex_);
    ++change_count_;
  }
  changed_.notify_all();
}

void Broker::Interrupt() {
  {
    const std::lock_guard lock(wait_mutex_);
    interrupted_ = true;
  }
  changed_.notify_all();
}

Result<> Broker::Sweep() {
  const WallTime now = ports_.clock.Now();
  TRY(RevokeExpired(now));
  TRY(ReappraiseAllOwed());
  if (now - last_collection_ > kCollectionInterval || now < last_collection_) {
    last_collection_ = now;
    TRY(CollectUsed(now));
  }
  return ports_.audit.Checkpoint();
}

Result<> Broker::RevokeExpired(WallTime now) {
  std::vector<std::string> expired;
  const auto look = [&](store::Transaction& transaction) -> Result<> {
    expired = TRY(ExpiredReleaseIds(transaction, now, kExpiredAtOnce));
    return Done{};
  };
  for (TRY(ports_.store.Read(look)); !expired.empty(); TRY(ports_.store.Read(look))) {
    TRY(ports_.store.Write([&](store::Transaction& transaction) -> Result<> {
      TRY(look(transaction));  // again: a lease may have been renewed since
      return RevokeAll(transaction, "", expired, "LeaseExpired");
    }));
    NotifyWaiters();
  }
  return Done{};
}

Result<> Broker::CollectUsed(WallTime now) {
  // A wall clock that jumps ahead must not make us forget challenges that it would believe in when it is
  // back.
  const auto elapsed = std::chrono::floor<std::chrono::milliseconds>(ports_.clock.Steady() - started_.steady);
  const WallTime believed = std::min(now, started_.wall + elapsed);
  TRY(ports_.store.Write([&](store::Transaction& transaction) -> Result<> {
    TRY(transaction.Execute(
        "DELETE FROM decisions WHERE sequence < (SELECT max(sequence) FROM decisions) - ?", {kKeptNotices}));
    TRY(CollectChallenges(transaction, believed));
    const PolicyTotals totals = TRY(CountPolicies(transaction));
    ports_.metrics.PolicyRevision(totals.accepted, totals.highest_revision);
    return Done{};
  }));
  return Done{};
}

}  // namespace portcullis::release

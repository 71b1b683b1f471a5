#include "release/records.h"

#include <array>

#include "codec/text.h"
#include "release/attestation_request.h"
#include "release/challenge.h"
#include "release/proof.h"

namespace portcullis::release {
namespace {

using codec::Json;
using store::IntegerOf;
using store::TextOf;

constexpr std::string_view kPhaseNames[] = {"Registered", "Denied", "Released", "Revoked"};

std::int64_t MillisOf(WallTime time) { return time.time_since_epoch().count(); }

Result<crypto::Sha256Digest> ParseDigestText(std::string_view text) {
  constexpr std::string_view kPrefix = "sha256:";
  if (!text.starts_with(kPrefix))
    return Error{ReasonCode::kRequestMalformed, "a digest reads sha256:<64 hex digits>"};
  return codec::FixedFromHex<crypto::Sha256Digest>(text.substr(kPrefix.size()));
}

/// The columns in FindStoredRelease()'s order.
Result<Release> FromRow(const store::Row& row) {
  const auto init_data_digest = TRY(ParseDigestText(TextOf(row[8])));
  return Release{
      .registration = {TextOf(row[0]), TextOf(row[1]), TextOf(row[2]), TextOf(row[3]), TextOf(row[4]),
                       TextOf(row[5]), TextOf(row[6]), TextOf(row[7]), init_data_digest},
      .phase = static_cast<Phase>(IntegerOf(row[9])),
      .decision = TextOf(row[10]),
      .last_denial = TextOf(row[11]),
      .resource = TextOf(row[12]),
      .policy_digest = TextOf(row[13]),
      .evidence_digest = TextOf(row[14]),
      .tee_key = TextOf(row[15]),
      .lease_expires = WallTime(std::chrono::milliseconds(IntegerOf(row[16]))),
      .releases = IntegerOf(row[17]),
      .jwe = TextOf(row[18]),
      .revocation_cause = TextOf(row[19]),
      .evidence = TextOf(row[20])};
}

Json Shown(std::string_view stored) {
  if (stored.empty()) return nullptr;
  auto value = codec::ParseJson(stored);
  if (!value) return nullptr;
  if (Json* checks = value->Find("checks")) *checks = ShownProof(std::move(*checks));
  return *std::move(value);
}

Result<std::vector<std::string>> FirstColumn(Result<std::vector<store::Row>> rows) {
  if (!rows) return rows.error();
  std::vector<std::string> out;
  for (const store::Row& row : *rows) out.push_back(TextOf(row[0]));
  return out;
}

store::Value OrNull(const std::optional<std::string>& text) {
  return text ? store::Value(*text) : store::Value();
}

/// The values of a page's statement.
std::vector<store::Value> BoundBy(const ReleasePage& page) {
  constexpr std::int64_t kNoPhase = -1;
  return {page.after, OrNull(page.cluster),
          page.revoked ? kNoPhase : static_cast<std::int64_t>(Phase::kRevoked), page.limit};
}

static_assert(static_cast<int>(Phase::kReleased) == 2, "the statements below spell it out for SQLite's sake");

}  // namespace

std::string_view NameOf(Phase phase) { return kPhaseNames[static_cast<std::size_t>(phase)]; }

Result<Registration> ParseRegistration(std::string id, const Json& body) {
  if (!IsReleaseId(id))
    return Error{ReasonCode::kRequestMalformed, "a release id is 32 hex digits", Quoted(id)};
  codec::ObjectReader in = TRY(codec::ObjectReader::Open(body));
  Registration out;
  out.id = std::move(id);
  out.cluster = TRY(in.Text("cluster", kMaxNameBytes));
  out.namespace_name = TRY(in.Text("namespace", kMaxNameBytes));
  out.pod = TRY(in.Text("pod", kMaxNameBytes));
  out.pod_uid = TRY(in.Text("podUid", kMaxPodUidBytes));
  out.service_account = TRY(in.Text("serviceAccount", kMaxNameBytes));
  out.policy = TRY(in.Text("policy", kMaxNameBytes));
  out.key = TRY(in.Text("key", kMaxNameBytes));
  out.init_data_digest = TRY_AT("initDataDigest", ParseDigestText(TRY(in.Text("initDataDigest", 80))));
  TRY(in.Finish());
  return out;
}

Json Release::Decision() const { return Shown(decision); }
Json Release::LastDenial() const { return Shown(last_denial); }

Json Release::ToJson(SealedKey key) const {
  const Registration& who = registration;
  Json out = Json::Object({{"id", who.id},
                           {"cluster", who.cluster},
                           {"namespace", who.namespace_name},
                           {"pod", who.pod},
                           {"podUid", who.pod_uid},
                           {"serviceAccount", who.service_account},
                           {"policy", who.policy},
                           {"key", who.key},
                           {"resource", resource},
                           {"initDataDigest", crypto::DigestText(who.init_data_digest)},
                           {"phase", NameOf(phase)}});
  Json decided = Decision();
  if (codec::JsonObject* members = decided.if_object())
    for (auto& [name, value] : *members) out.Set(name, std::move(value));
  out.Set("policyDigest", policy_digest).Set("evidenceDigest", evidence_digest).Set("releases", releases);
  if (phase == Phase::kReleased) {
    out.Set("leaseExpires", FormatTimestamp(lease_expires));
    if (key == SealedKey::kShown)
      if (const auto sealed = codec::ParseJson(jwe)) out.Set("jwe", *sealed);
  }
  if (!last_denial.empty()) out.Set("lastDenial", LastDenial());
  if (!revocation_cause.empty()) out.Set("revocationCause", revocation_cause);
  return out;
}

Result<> MigrateRecords(store::Store& store) {
  return store.Migrate(
      "release-1",
      {"CREATE TABLE releases (id TEXT PRIMARY KEY, cluster TEXT NOT NULL, namespace TEXT NOT NULL, pod TEXT "
       "NOT "
       "NULL, pod_uid TEXT NOT NULL, service_account TEXT NOT NULL, policy TEXT NOT NULL, key_name TEXT NOT "
       "NULL, init_data_digest TEXT NOT NULL, phase INTEGER NOT NULL, decision TEXT NOT NULL DEFAULT '', "
       "last_denial TEXT NOT NULL DEFAULT '', resource TEXT NOT NULL DEFAULT '', policy_digest TEXT NOT NULL "
       "DEFAULT '', evidence_digest TEXT NOT NULL DEFAULT '', tee_key TEXT NOT NULL DEFAULT '', "
       "lease_expires "
       "INTEGER NOT NULL DEFAULT 0, releases INTEGER NOT NULL DEFAULT 0, jwe TEXT NOT NULL DEFAULT '', "
       "revocation_cause TEXT NOT NULL DEFAULT '', evidence TEXT NOT NULL DEFAULT '')",
       // Of live ones only: that is all that is searched for, and a release is one entry in each.
       "CREATE INDEX releases_live ON releases (lease_expires) WHERE phase = 2",
       // For a key, whose end is rarer than releases are, the entries of its namespace are looked through.
       "CREATE INDEX releases_use ON releases (namespace, policy, key_name) WHERE phase = 2",
       "CREATE TABLE policies (namespace TEXT NOT NULL, name TEXT NOT NULL, revision INTEGER NOT NULL, "
       "digest TEXT NOT NULL,"
       " authority TEXT NOT NULL, document TEXT NOT NULL, signatures TEXT NOT NULL, authority_key BLOB NOT "
       "NULL, deleted INTEGER NOT NULL,"
       " PRIMARY KEY (namespace, name))",
       "CREATE TABLE mirrors (kind INTEGER NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, cluster "
       "TEXT "
       "NOT NULL, PRIMARY KEY (kind, namespace, name, cluster)) WITHOUT ROWID",
       "CREATE TABLE floors (kind INTEGER NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, authority "
       "TEXT "
       "NOT NULL,"
       " revision INTEGER NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (kind, namespace, name, authority))",
       // A challenge and its expiry are sealed together, so one nonce never comes with two.
       "CREATE TABLE used_challenges (expires INTEGER NOT NULL, nonce BLOB NOT NULL, PRIMARY KEY (expires, "
       "nonce)) WITHOUT ROWID",
       "CREATE TABLE decisions (sequence INTEGER PRIMARY KEY, release_id TEXT NOT NULL, verdict TEXT NOT "
       "NULL,"
       " time TEXT NOT NULL)"});
}

Result<std::optional<StoredRelease>> FindStoredRelease(store::Transaction& transaction, const std::string& id,
                                                       const StoredRelease* before) {
  auto rows = TRY(
      transaction.Query("SELECT id, cluster, namespace, pod, pod_uid, service_account, policy, key_name, "
                        "init_data_digest, phase, decision, last_denial, resource, policy_digest, "
                        "evidence_digest, tee_key, lease_expires, releases, jwe, revocation_cause, evidence "
                        "FROM releases WHERE id = ?",
                        {id}));
  if (rows.empty()) return std::optional<StoredRelease>();
  if (before != nullptr && before->row == rows.front()) return std::optional(*before);
  auto release = TRY(FromRow(rows.front()));
  return std::optional(StoredRelease{std::move(release), std::move(rows.front())});
}

Result<std::optional<Release>> FindRelease(store::Transaction& transaction, const std::string& id) {
  auto stored = TRY(FindStoredRelease(transaction, id));
  if (!stored) return std::optional<Release>();
  return std::optional(std::move(stored->release));
}

Result<> InsertRelease(store::Transaction& transaction, const Registration& who) {
  TRY(transaction.Execute(
      "INSERT INTO releases (id, cluster, namespace, pod, pod_uid, service_account, policy, key_name, "
      "init_data_digest, phase) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {who.id, who.cluster, who.namespace_name, who.pod, who.pod_uid, who.service_account, who.policy,
       who.key, crypto::DigestText(who.init_data_digest), static_cast<std::int64_t>(Phase::kRegistered)}));
  return Done{};
}

Result<> SaveRelease(store::Transaction& transaction, const Release& release) {
  const std::int64_t changed = TRY(transaction.Execute(
      "UPDATE releases SET phase = ?, decision = ?, last_denial = ?, resource = ?, policy_digest = ?, "
      "evidence_digest = ?, tee_key = ?, lease_expires = ?, releases = ?, jwe = ?, revocation_cause = ?, "
      "evidence = ? WHERE id = ?",
      {static_cast<std::int64_t>(release.phase), release.decision, release.last_denial, release.resource,
       release.policy_digest, release.evidence_digest, release.tee_key, MillisOf(release.lease_expires),
       release.releases, release.jwe, release.revocation_cause, release.evidence, release.registration.id}));
  if (changed != 1) return Error{ReasonCode::kInternalError, "a release to be saved is not there"};
  return Done{};
}

Result<std::vector<std::string>> ReleaseIds(store::Transaction& transaction, const ReleasePage& page) {
  return FirstColumn(transaction.Query(
      "SELECT id FROM releases WHERE id > ? AND cluster = coalesce(?, cluster) AND phase <> ? ORDER BY id "
      "LIMIT ?",
      BoundBy(page)));
}

Result<codec::JsonArray> ReleaseSummaries(store::Transaction& transaction, const ReleasePage& page) {
  const auto rows =
      TRY(transaction.Query("SELECT id, cluster, namespace, pod, policy, key_name, phase FROM releases WHERE "
                            "id > ? AND cluster = coalesce(?, cluster) AND phase <> ? ORDER BY id LIMIT ?",
                            BoundBy(page)));
  codec::JsonArray out;
  for (const store::Row& row : rows)
    out.push_back(Json::Object({{"id", TextOf(row[0])},
                                {"cluster", TextOf(row[1])},
                                {"namespace", TextOf(row[2])},
                                {"pod", TextOf(row[3])},
                                {"policy", TextOf(row[4])},
                                {"key", TextOf(row[5])},
                                {"phase", NameOf(static_cast<Phase>(IntegerOf(row[6])))}}));
  return out;
}

Result<std::vector<std::string>> ExpiredReleaseIds(store::Transaction& transaction, WallTime now,
                                                   std::int64_t limit) {
  return FirstColumn(transaction.Query(
      "SELECT id FROM releases WHERE phase = 2 AND lease_expires < ? ORDER BY lease_expires LIMIT ?",
      {MillisOf(now), limit}));
}

Result<std::vector<std::string>> OutdatedReleaseIds(store::Transaction& transaction) {
  return FirstColumn(transaction.Query(
      "SELECT r.id FROM releases r JOIN policies p ON p.namespace = r.namespace AND p.name = r.policy WHERE "
      "r.phase = 2 AND p.deleted = 0 AND r.policy_digest <> p.digest ORDER BY r.id",
      {}));
}

Result<std::vector<std::string>> LiveReleaseIdsOfPolicy(store::Transaction& transaction,
                                                        const std::string& namespace_name,
                                                        const std::string& policy,
                                                        const std::optional<std::string>& cluster) {
  return FirstColumn(
      transaction.Query("SELECT id FROM releases WHERE namespace = ? AND policy = ? AND phase = 2 AND "
                        "cluster = coalesce(?, cluster)",
                        {namespace_name, policy, OrNull(cluster)}));
}

Result<std::vector<std::string>> LiveReleaseIdsOfKey(store::Transaction& transaction,
                                                     const std::string& namespace_name,
                                                     const std::string& key,
                                                     const std::optional<std::string>& cluster) {
  return FirstColumn(
      transaction.Query("SELECT id FROM releases WHERE namespace = ? AND key_name = ? AND phase = 2 AND "
                        "cluster = coalesce(?, cluster)",
                        {namespace_name, key, OrNull(cluster)}));
}

Result<std::optional<PolicyRow>> FindPolicyRow(store::Transaction& transaction,
                                               const std::string& namespace_name, const std::string& name) {
  const auto rows = TRY(
      transaction.Query("SELECT revision, digest, authority, document, signatures, authority_key, deleted "
                        "FROM policies WHERE namespace = ? AND name = ?",
                        {namespace_name, name}));
  if (rows.empty()) return std::optional<PolicyRow>();
  const store::Row& row = rows.front();
  return std::optional<PolicyRow>(PolicyRow{IntegerOf(row[0]), TextOf(row[1]), TextOf(row[2]), TextOf(row[3]),
                                            TextOf(row[4]), ToBuffer(store::BlobOf(row[5])),
                                            IntegerOf(row[6]) != 0});
}

Result<std::optional<std::string>> FindPolicyInForce(store::Transaction& transaction,
                                                     const std::string& namespace_name,
                                                     const std::string& name) {
  const auto rows = TRY(transaction.Query(
      "SELECT digest || ' ' || authority FROM policies WHERE namespace = ? AND name = ? AND deleted = 0",
      {namespace_name, name}));
  if (rows.empty()) return std::optional<std::string>();
  return std::optional(TextOf(rows[0][0]));
}

Result<> SavePolicyRow(store::Transaction& transaction, const std::string& namespace_name,
                       const std::string& name, const PolicyRow& row) {
  TRY(transaction.Execute(
      "INSERT INTO policies (namespace, name, revision, digest, authority, document, signatures, "
      "authority_key,"
      " deleted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (namespace, name) DO UPDATE SET revision = "
      "excluded.revision,"
      " digest = excluded.digest, authority = excluded.authority, document = excluded.document,"
      " signatures = excluded.signatures, authority_key = excluded.authority_key, deleted = excluded.deleted",
      {namespace_name, name, row.revision, row.digest, row.authority, row.document, row.signatures,
       row.authority_key, std::int64_t{row.deleted}}));
  return Done{};
}

Result<std::optional<Floor>> FindFloor(store::Transaction& transaction, FloorKind kind,
                                       const std::string& namespace_name, const std::string& name,
                                       const std::string& authority) {
  const auto rows = TRY(transaction.Query(
      "SELECT revision, digest FROM floors WHERE kind = ? AND namespace = ? AND name = ? AND authority = ?",
      {static_cast<std::int64_t>(kind), namespace_name, name, authority}));
  if (rows.empty()) return std::optional<Floor>();
  return std::optional(Floor{IntegerOf(rows[0][0]), TextOf(rows[0][1])});
}

Result<> RaiseFloor(store::Transaction& transaction, FloorKind kind, const std::string& namespace_name,
                    const std::string& name, const std::string& authority, const Floor& floor) {
  TRY(transaction.Execute(
      "INSERT INTO floors (kind, namespace, name, authority, revision, digest) VALUES (?, ?, ?, ?, ?, ?)"
      " ON CONFLICT (kind, namespace, name, authority) DO UPDATE SET revision = excluded.revision, digest ="
      " excluded.digest WHERE excluded.revision > floors.revision",
      {static_cast<std::int64_t>(kind), namespace_name, name, authority, floor.revision, floor.digest}));
  return Done{};
}

Result<PolicyTotals> CountPolicies(store::Transaction& transaction) {
  const auto rows =
      TRY(transaction.Query("SELECT count(*), max(revision) FROM policies WHERE deleted = 0", {}));
  return PolicyTotals{IntegerOf(rows.at(0)[0]), IntegerOf(rows.at(0)[1])};
}

Result<> BurnChallenge(store::Transaction& transaction, Bytes nonce, WallTime expires) {
  const auto name = crypto::Sha256(nonce);
  TRY(transaction.Execute("INSERT INTO used_challenges (nonce, expires) VALUES (?, ?)",
                          {ToBuffer(name.bytes()), MillisOf(expires)}));
  return Done{};
}

Result<> CollectChallenges(store::Transaction& transaction, WallTime now) {
  // A record outlives its challenge on every clock (reliability.md section 6, row 5).
  TRY(transaction.Execute("DELETE FROM used_challenges WHERE expires < ?",
                          {MillisOf(now - 2 * kClockSkewBound)}));
  return Done{};
}

Result<> AppendNotice(store::Transaction& transaction, const DecisionNotice& notice) {
  TRY(transaction.Execute("INSERT INTO decisions (sequence, release_id, verdict, time) VALUES (?, ?, ?, ?)",
                          {notice.sequence, notice.release_id, notice.verdict, notice.time}));
  return Done{};
}

Result<std::vector<DecisionNotice>> NoticesAfter(store::Transaction& transaction, std::int64_t after,
                                                 std::int64_t limit) {
  const auto rows = TRY(transaction.Query(
      "SELECT d.sequence, d.release_id, d.verdict, d.time, r.cluster, r.namespace FROM decisions d"
      " JOIN releases r ON r.id = d.release_id WHERE d.sequence > ? ORDER BY d.sequence LIMIT ?",
      {after, limit}));
  std::vector<DecisionNotice> out;
  for (const store::Row& row : rows)
    out.push_back(
        {IntegerOf(row[0]), TextOf(row[1]), TextOf(row[2]), TextOf(row[3]), TextOf(row[4]), TextOf(row[5])});
  return out;
}

Result<std::int64_t> NewestNotice(store::Transaction& transaction) {
  return IntegerOf(TRY(transaction.Query("SELECT max(sequence) FROM decisions", {})).at(0).at(0));
}

}  // namespace portcullis::release

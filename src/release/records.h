#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "codec/json.h"
#include "crypto/digest.h"
#include "store/store.h"

namespace portcullis::release {

inline constexpr std::size_t kMaxNameBytes = 253;  // of a cluster, namespace or other object of Kubernetes
inline constexpr std::size_t kMaxPodUidBytes = 64;

/// Who was admitted, as the control plane registered it: routing and expectations, never trust.
struct Registration {
  std::string id, cluster, namespace_name, pod, pod_uid, service_account, policy, key;
  crypto::Sha256Digest init_data_digest;
};
/// Body of PUT /v1/releases/{id}. Error: RequestMalformed.
Result<Registration> ParseRegistration(std::string id, const codec::Json& body);

enum class Phase : std::uint8_t { kRegistered, kDenied, kReleased, kRevoked };
std::string_view NameOf(Phase phase);

/// A release as stored and as GET /v1/releases/{id} shows it.
struct Release {
  Registration registration;
  Phase phase = Phase::kRegistered;
  // JSON as stored, with the proof tree in its short form (proof.h).
  std::string decision;     // members verdict .. leaseExpires of docs/reference/api.md; "" before the first
  std::string last_denial;  // "" where there is none beside a live release
  std::string resource;
  std::string policy_digest;
  std::string evidence_digest;
  std::string tee_key;  // thumbprint of the key that the last release was sealed to
  WallTime lease_expires{};
  std::int64_t releases = 0;
  std::string jwe;  // flattened JSON; "" unless released
  std::string revocation_cause;
  std::string
      evidence;  // what a changed policy is appraised against again; JSON, "" before the first release

  /// As shown; null where there is none.
  codec::Json Decision() const;
  codec::Json LastDenial() const;
  enum class SealedKey : std::uint8_t { kShown, kWithheld };
  codec::Json ToJson(SealedKey key = SealedKey::kShown) const;
};

Result<> MigrateRecords(store::Store& store);

Result<std::optional<Release>> FindRelease(store::Transaction& transaction, const std::string& id);
/// A release beside the row that it was read from.
struct StoredRelease {
  Release release;
  store::Row row;
};
/// The same; where the row is still that of `before`, its release is taken over instead of read anew.
Result<std::optional<StoredRelease>> FindStoredRelease(store::Transaction& transaction, const std::string& id,
                                                       const StoredRelease* before = nullptr);
Result<> InsertRelease(store::Transaction& transaction, const Registration& registration);
/// All but the registration, of a release that is there.
Result<> SaveRelease(store::Transaction& transaction, const Release& release);
/// Which releases a page has, in order of id: at most `limit` of those that match.
struct ReleasePage {
  std::string after;
  std::int64_t limit;
  std::optional<std::string> cluster = {};  // of any where nullopt
  bool revoked = true;                      // also those that were revoked
};
Result<std::vector<std::string>> ReleaseIds(store::Transaction& transaction, const ReleasePage& page);
/// As a summary: id, cluster, namespace, pod, policy, key and phase.
Result<codec::JsonArray> ReleaseSummaries(store::Transaction& transaction, const ReleasePage& page);
/// Ids of live releases whose lease has run out.
Result<std::vector<std::string>> ExpiredReleaseIds(store::Transaction& transaction, WallTime now,
                                                   std::int64_t limit);
/// Of live releases that were not appraised under the policy in force.
Result<std::vector<std::string>> OutdatedReleaseIds(store::Transaction& transaction);
/// Of one cluster, or of all where it is nullopt; likewise for a key.
Result<std::vector<std::string>> LiveReleaseIdsOfPolicy(store::Transaction& transaction,
                                                        const std::string& namespace_name,
                                                        const std::string& policy,
                                                        const std::optional<std::string>& cluster = {});
Result<std::vector<std::string>> LiveReleaseIdsOfKey(store::Transaction& transaction,
                                                     const std::string& namespace_name,
                                                     const std::string& key,
                                                     const std::optional<std::string>& cluster = {});

/// The row of a policy, deleted or not.
struct PolicyRow {
  std::int64_t revision;
  std::string digest, authority, document, signatures;
  ByteBuffer authority_key;  // SPKI of the key whose thumbprint `authority` is
  bool deleted;
  bool operator==(const PolicyRow&) const = default;
};
Result<std::optional<PolicyRow>> FindPolicyRow(store::Transaction& transaction,
                                               const std::string& namespace_name, const std::string& name);
/// Which policy is in force under a name: digest and authority, "<digest> <thumbprint>". A document is many
/// pages, and mostly known already.
Result<std::optional<std::string>> FindPolicyInForce(store::Transaction& transaction,
                                                     const std::string& namespace_name,
                                                     const std::string& name);
Result<> SavePolicyRow(store::Transaction& transaction, const std::string& namespace_name,
                       const std::string& name, const PolicyRow& row);

/// The highest that was ever accepted under a name from an authority. It outlives the object and the reign of
/// another authority over the name, so that neither opens the way back.
struct Floor {
  std::int64_t revision;
  std::string digest;  // of what had that revision; "" where content is held to it elsewhere
};
enum class FloorKind : std::uint8_t { kPolicyRevision, kKeyVersion };
Result<std::optional<Floor>> FindFloor(store::Transaction& transaction, FloorKind kind,
                                       const std::string& namespace_name, const std::string& name,
                                       const std::string& authority);
Result<> RaiseFloor(store::Transaction& transaction, FloorKind kind, const std::string& namespace_name,
                    const std::string& name, const std::string& authority, const Floor& floor);

struct PolicyTotals {
  std::int64_t accepted, highest_revision;
};
Result<PolicyTotals> CountPolicies(store::Transaction& transaction);

/// Burns a nonce; Conflict where it was burnt before.
Result<> BurnChallenge(store::Transaction& transaction, Bytes nonce, WallTime expires);
/// Forgets challenges that no clock can believe in any more.
Result<> CollectChallenges(store::Transaction& transaction, WallTime now);

struct DecisionNotice {
  std::int64_t sequence;
  std::string release_id, verdict, time;
  std::string cluster, namespace_name;  // read, not written
};
Result<> AppendNotice(store::Transaction& transaction, const DecisionNotice& notice);
Result<std::vector<DecisionNotice>> NoticesAfter(store::Transaction& transaction, std::int64_t after,
                                                 std::int64_t limit);
/// 0 where there is none.
Result<std::int64_t> NewestNotice(store::Transaction& transaction);

}  // namespace portcullis::release

#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "audit/audit.h"
#include "base/clock.h"
#include "base/random.h"
#include "keystore/keystore.h"
#include "metrics/metrics.h"
#include "policy/evidence.h"
#include "release/accepted_policy.h"
#include "release/attestation_request.h"
#include "release/challenge.h"
#include "release/denial_budget.h"
#include "release/mirrors.h"
#include "release/records.h"

namespace portcullis::release {

/// What the broker is made of; all must outlive it.
struct BrokerPorts {
  store::Store& store;
  audit::Log& audit;
  keystore::Kek kek;
  const keystore::Identity& identity;
  policy::TrustSources trust;
  const Clock& clock;
  Random& random;
  metrics::Metrics& metrics;
  double denial_burst = DenialBudget::kBurst;
};

struct AuthReply {
  std::string nonce_text;  // base64, as the guest must echo and hash it
  std::string cookie;      // value of kbs-session-id
};

/// The outcome of one attestation. A denial is a finding, not an Error: it was recorded before it is
/// returned.
struct AttestReply {
  bool allowed;
  std::vector<ReasonCode> reasons;  // empty when allowed
  std::string token, session_cookie;
  codec::Json release;  // id, resource, version, leaseExpires, jwe
};

/// The decisions of a Key Broker Service, without HTTP: challenges, releases, policies, keys, revocation.
/// Thread-safe.
class Broker {
 public:
  /// Migrates the store and records the start. Error: AuditUnavailable.
  static Result<std::unique_ptr<Broker>> Open(const BrokerPorts& ports);

  // Guest side.
  Result<AuthReply> Authenticate(std::string_view body);
  /// Errors, before anything is decided: ChallengeUnknown, ChallengeExpired, TeeKeyNotAccepted,
  /// EvidenceMalformed, RequestMalformed; AuditUnavailable where the decision could not be recorded;
  /// Overloaded where too many denials were recorded of late for one more.
  Result<AttestReply> Attest(std::string_view request_id, std::string_view cookie, std::string_view body);
  /// The sealed key again, for a token or session cookie of the current release. A token goes before a
  /// cookie. Errors: Unauthorized, SignatureInvalid, ChallengeUnknown, ChallengeExpired, Forbidden, Revoked,
  /// ReleaseExpired, AuditUnavailable (while the store is latched no revocation could be recorded, so nothing
  /// is handed out).
  Result<codec::Json> Resource(std::string_view bearer_token, std::string_view cookie,
                               std::string_view resource);

  // Control plane side. `cluster` is who mirrors an object: it is deleted, and all that was released with it
  // revoked, when the last cluster withdraws it; until then each takes back its own releases only.
  Result<codec::Json> PutKey(std::string_view request_id, const std::string& namespace_name,
                             const std::string& name, const codec::Json& spec,
                             const std::string& cluster = "");
  Result<codec::Json> GetKey(const std::string& namespace_name, const std::string& name);
  Result<> DeleteKey(std::string_view request_id, const std::string& namespace_name, const std::string& name,
                     const std::string& cluster = "");
  Result<codec::Json> PutPolicy(std::string_view request_id, const std::string& namespace_name,
                                const std::string& name, const codec::Json& body,
                                const std::string& cluster = "");
  Result<codec::Json> GetPolicy(const std::string& namespace_name, const std::string& name);
  Result<> DeletePolicy(std::string_view request_id, const std::string& namespace_name,
                        const std::string& name, const std::string& cluster = "");
  /// What a cluster mirrors, or all of them where it is nullopt: {"keys" or "policies","next"}.
  Result<codec::Json> ListMirrored(MirrorKind kind, const std::optional<std::string>& cluster,
                                   const ObjectName& after, std::int64_t limit);
  /// True where it is new.
  Result<bool> PutRelease(const Registration& registration);
  Result<Release> GetRelease(const std::string& id);
  /// As the API shows it: without the sealed key after the lease, and while the store is latched, as no
  /// revocation could be recorded then.
  codec::Json Shown(const Release& release) const;
  /// A page in order of id: whole releases, or summaries, which are a hundredth of the size.
  enum class View : std::uint8_t { kFull, kSummary };
  Result<codec::Json> ListReleases(const ReleasePage& page, View view = View::kFull);
  /// Whose release a caller takes an id for; what is not said fits.
  struct Expected {
    std::optional<std::string> cluster, namespace_name, pod_uid;
  };
  /// Idempotent; NotFound for an id that was never registered, Conflict where it is another's than expected.
  Result<Release> Revoke(std::string_view request_id, const std::string& id, std::string_view cause,
                         const Expected& expected = {});
  /// Waits up to `wait` for a notice after `after`. Where that is above the newest, as after a restore,
  /// answers at once, with the newest as next.
  Result<codec::Json> Decisions(std::int64_t after, std::chrono::seconds wait, std::int64_t limit);
  Result<codec::Json> DryRun(const codec::Json& body);
  codec::Json IdentityDocument(std::string_view guest_url) const;

  /// What has to happen with time: leases that ran out, appraisals that are owed, used challenges past need,
  /// checkpoints, gauges.
  /// Called about every second from one thread.
  Result<> Sweep();
  /// Wakes who waits in Decisions(), for shutdown.
  void Interrupt();

 private:
  /// The policy that decides over a release: one, none, or one that was altered where it is stored.
  struct InForce {
    std::shared_ptr<const AcceptedPolicy> policy;
    bool altered = false;
    bool operator==(const InForce&) const = default;
  };
  /// What an appraisal rests on, read before it; the transaction that decides holds it against the store.
  struct Snapshot {
    std::optional<StoredRelease> stored;  // of the release that is asked for
    std::shared_ptr<const AcceptedPolicy> policy;
    bool policy_altered = false;
    std::optional<keystore::ModelKeys::Info> key;
  };
  struct Attempt;  // one attestation on its way
  explicit Broker(const BrokerPorts& ports)
      : ports_(ports),
        sealer_(ports.kek, ports.clock, ports.random),
        denials_(ports.clock, ports.denial_burst),
        started_{ports.clock.Now(), ports.clock.Steady()} {}

  Result<Snapshot> ReadSnapshot(const std::string& release_id);
  Result<Snapshot> ReadSnapshotIn(store::Transaction& transaction, const std::string& release_id);
  void KeepForFirstAttestation(Snapshot snapshot);
  std::optional<Snapshot> TakeKept(const std::string& release_id);
  /// Null where none is in force. Error: PolicySignatureInvalid where it was altered in the store.
  Result<std::shared_ptr<const AcceptedPolicy>> LoadPolicy(store::Transaction& transaction,
                                                           const std::string& namespace_name,
                                                           const std::string& name);
  Result<InForce> PolicyOf(store::Transaction& transaction, const Registration& who);
  void AppraiseAttempt(Attempt& attempt, const Snapshot& snapshot) const;
  /// Whether the model key is still the snapshot's: there or not, and of the same authority.
  Result<bool> IsKeyOf(store::Transaction& transaction, const Snapshot& snapshot) const;
  Result<> Decide(store::Transaction& transaction, Attempt& attempt, const Snapshot& snapshot);
  Result<> SealKey(store::Transaction& transaction, Attempt& attempt, const Snapshot& snapshot);
  Result<> RecordDecision(store::Transaction& transaction, Attempt& attempt, const Snapshot& snapshot);
  AttestReply ReplyFor(const Attempt& attempt) const;

  Result<> VerifyOffered(store::Transaction& transaction, AcceptedPolicy& offered, PolicyRow& row);
  Result<> RevokeIn(store::Transaction& transaction, std::string_view request_id, Release release,
                    std::string_view cause);
  Result<> RevokeAll(store::Transaction& transaction, std::string_view request_id,
                     const std::vector<std::string>& ids, std::string_view cause);
  Result<> RevokeExpired(WallTime now);
  Result<> CollectUsed(WallTime now);

  /// Under the policy in force: kept or revoked; or owed, where we lack what an appraisal takes.
  enum class Reappraised : std::uint8_t { kSettled, kOwed };
  Result<Reappraised> Reappraise(store::Transaction& transaction, std::string_view request_id,
                                 Release release, const AcceptedPolicy& policy);
  /// Those under a policy that was just accepted; as many as one transaction should take.
  Result<Reappraised> ReappraiseLive(store::Transaction& transaction, std::string_view request_id,
                                     const AcceptedPolicy& policy);
  Result<Reappraised> ReappraiseOwed(store::Transaction& transaction, const std::string& id);
  Result<> ReappraiseAllOwed();
  void NotifyWaiters();

  BrokerPorts ports_;
  ChallengeSealer sealer_;
  DenialBudget denials_;
  const struct {
    WallTime wall;
    SteadyTime steady;
  } started_;
  std::unique_ptr<keystore::ModelKeys> model_keys_;
  std::mutex policy_mutex_;
  std::map<std::string, std::shared_ptr<const AcceptedPolicy>> policies_by_digest_;
  std::mutex registered_mutex_;
  std::map<std::string, Snapshot> registered_;  // by release id, of those just registered
  std::mutex wait_mutex_;
  std::condition_variable changed_;
  std::uint64_t change_count_ = 0;
  bool interrupted_ = false;
  WallTime last_collection_{};
  // Whether live releases may wait for the policy in force: those of before the start are not known.
  std::atomic<bool> owed_{true};
  SteadyTime owed_from_ = SteadyTime::max();  // of those that were tried in vain; Sweep()'s own
};

}  // namespace portcullis::release

// One release, from challenge to reply, as one function with a named fail point at each step:
// challenge.open > policy.read > evidence.verify > nonce.create > expiry.recheck > key.unwrap > jwe.seal >
// audit.append > audit.fsync > reply. Burn, seal and audit row are one transaction: what is not durable has
// not happened, and nothing leaves the process before it is (docs/adr/0002-one-transaction-per-release.md).
#include <algorithm>

#include "base/failpoint.h"
#include "base/log.h"
#include "codec/text.h"
#include "crypto/jose.h"
#include "policy/policy.h"
#include "release/broker.h"
#include "release/kept_evidence.h"
#include "release/mirrors.h"
#include "release/proof.h"
#include "release/token.h"

namespace portcullis::release {
namespace {

using codec::Json;
using std::chrono::nanoseconds;

std::string RandomHex(Random& random, std::size_t bytes) {
  ByteBuffer out(bytes);
  random.Fill(out);
  return codec::EncodeHex(out);
}

void WriteNames(std::span<const ReasonCode> reasons, codec::JsonWriter& out) {
  out.BeginArray();
  for (const ReasonCode reason : reasons) out.Text(NameOf(reason));
  out.EndArray();
}

}  // namespace

/// Everything one attestation gathers on its way. Nothing of it is seen outside before it is recorded.
struct Broker::Attempt {
  std::string request_id;
  Challenge challenge;
  std::string nonce_text;
  AttestationRequest request;
  std::string release_id;  // of the challenge, else of the presented init-data; "" where none is known
  std::optional<codec::InitData> init_data;
  policy::Appraisal appraisal;
  bool allowed = false;
  Release release;  // as saved
  std::optional<crypto::Jwe> jwe;
  std::int64_t key_version = 0;
  std::int64_t sequence = 0;
  WallTime decided_at;
};

Result<AuthReply> Broker::Authenticate(std::string_view body) {
  const AuthRequest request = TRY(ParseAuthRequest(body));
  const Challenge challenge = sealer_.New(std::string(request.tee), request.release_id);
  return AuthReply{codec::EncodeBase64(challenge.nonce), sealer_.Seal(challenge)};
}

Result<AttestReply> Broker::Attest(std::string_view request_id, std::string_view cookie,
                                   std::string_view body) {
  const SteadyTime started = ports_.clock.Steady();
  TRY(FailPoint("challenge.open"));
  auto challenge = sealer_.Open(cookie);
  if (!challenge) {
    ports_.metrics.ChallengeRejected(challenge.error().code);
    return challenge.error();
  }
  AttestationRequest request = TRY(ParseAttestationRequest(body, challenge->tee));
  if (!SameBytes(request.nonce, challenge->nonce)) {
    ports_.metrics.ChallengeRejected(ReasonCode::kChallengeUnknown);
    return Error{ReasonCode::kChallengeUnknown, "the nonce is not the one of this session",
                 "runtime-data.nonce"};
  }

  Attempt attempt{.request_id = std::string(request_id),
                  .challenge = *challenge,
                  .nonce_text = codec::EncodeBase64(challenge->nonce),
                  .request = std::move(request),
                  .release_id = challenge->release_id,
                  .init_data = {},
                  .appraisal = {},
                  .release = {},
                  .jwe = {},
                  .decided_at = {}};
  if (auto init_data = codec::ParseInitData(attempt.request.init_data_text)) {
    attempt.init_data = std::move(*init_data);
    // A client that did not name its release at /auth is known by its init-data.
    if (attempt.release_id.empty())
      if (const auto claim = ParseReleaseClaim(*attempt.init_data)) attempt.release_id = claim->release_id;
  }

  // What the appraisal rests on may change until the transaction; then it is made again on the newer state.
  constexpr int kMaxRounds = 3;
  for (int round = 0; round < kMaxRounds; ++round) {
    TRY(FailPoint("policy.read"));
    auto kept = round == 0 ? TakeKept(attempt.release_id) : std::nullopt;
    const Snapshot snapshot = kept ? *std::move(kept) : TRY(ReadSnapshot(attempt.release_id));
    const SteadyTime verify_started = ports_.clock.Steady();
    AppraiseAttempt(attempt, snapshot);
    TRY(FailPoint("evidence.verify"));
    const SteadyTime commit_started = ports_.clock.Steady();
    const auto recorded = ports_.store.Write(
        [&](store::Transaction& transaction) { return Decide(transaction, attempt, snapshot); });
    if (!recorded && recorded.error().code == ReasonCode::kConflict) continue;
    if (!recorded) return recorded.error();
    TRY(FailPoint("audit.fsync"));

    const SteadyTime done = ports_.clock.Steady();
    ports_.metrics.AttestationDuration(attempt.challenge.tee, "verify", commit_started - verify_started);
    ports_.metrics.AttestationDuration(attempt.challenge.tee, "total", done - started);
    ports_.metrics.AuditCommit(done - commit_started);
    ports_.metrics.AuditSequence(attempt.sequence);
    const auto reasons = attempt.appraisal.tree.reasons();
    ports_.metrics.Decision(attempt.allowed, attempt.allowed ? "" : NameOf(reasons.front()),
                            attempt.challenge.tee);
    if (attempt.allowed)
      ports_.metrics.KeyRelease(snapshot.policy->policy.delivery == policy::Delivery::kSecret ? "Secret"
                                                                                              : "Direct");
    if (std::ranges::find(reasons, ReasonCode::kChallengeReused) != reasons.end())
      ports_.metrics.ChallengeRejected(ReasonCode::kChallengeReused);
    NotifyWaiters();
    TRY(FailPoint("reply"));
    return ReplyFor(attempt);
  }
  return Error{ReasonCode::kOverloaded,
               "policy or registration changed again and again while the evidence was appraised"};
}

Result<Broker::Snapshot> Broker::ReadSnapshot(const std::string& release_id) {
  Snapshot out;
  TRY(ports_.store.Read([&](store::Transaction& transaction) -> Result<> {
    if (!release_id.empty()) out = TRY(ReadSnapshotIn(transaction, release_id));
    return Done{};
  }));
  return out;
}

Result<Broker::Snapshot> Broker::ReadSnapshotIn(store::Transaction& transaction,
                                                const std::string& release_id) {
  Snapshot out;
  out.stored = TRY(FindStoredRelease(transaction, release_id));
  if (!out.stored) return out;
  const Registration& who = out.stored->release.registration;
  InForce in_force = TRY(PolicyOf(transaction, who));
  out.policy = std::move(in_force.policy);
  out.policy_altered = in_force.altered;
  out.key = TRY(model_keys_->Find(transaction, who.namespace_name, who.key));
  return out;
}

// A pod attests moments after it was registered, and its start waits for that: what the first appraisal
// rests on was just in hand. Decide() and SealKey() hold each part of it against the store, so that stale it
// costs a second reading and nothing else.
void Broker::KeepForFirstAttestation(Snapshot snapshot) {
  constexpr std::size_t kMaxKept = 1024;
  if (!snapshot.stored || !snapshot.policy || !snapshot.key) return;
  const std::lock_guard lock(registered_mutex_);
  if (registered_.size() >= kMaxKept) registered_.clear();
  std::string id = snapshot.stored->release.registration.id;
  registered_.insert_or_assign(std::move(id), std::move(snapshot));
}

std::optional<Broker::Snapshot> Broker::TakeKept(const std::string& release_id) {
  const std::lock_guard lock(registered_mutex_);
  auto node = registered_.extract(release_id);
  if (node.empty()) return std::nullopt;
  return std::move(node.mapped());
}

void Broker::AppraiseAttempt(Attempt& attempt, const Snapshot& snapshot) const {
  auto& findings = attempt.appraisal.tree.findings;
  attempt.appraisal = {};
  // Without a release or its policy there is nothing to appraise against. That alone is said: the guest comes
  // again once the controller has registered it, and findings about its evidence would make the refusal look
  // final.
  const auto refuse_early = [&](evidence::Finding finding) { findings.push_back(std::move(finding)); };
  if (!snapshot.stored)
    return refuse_early(
        kRegistered.Refuse("a release registered by the controller",
                           attempt.release_id.empty() ? "no release id" : attempt.release_id));
  if (snapshot.policy_altered)
    return refuse_early(kPolicyIntact.Refuse(
        "policy " + snapshot.stored->release.registration.policy + " as its authority signed it",
        "altered in the store"));
  if (!snapshot.policy)
    return refuse_early(
        kPolicyAccepted.Refuse("policy " + snapshot.stored->release.registration.policy, "none accepted"));

  const Registration& who = snapshot.stored->release.registration;
  const policy::Requester requester{
      who.namespace_name, who.service_account, who.key,
      attempt.init_data.value_or(codec::InitData{attempt.request.init_data_text, "", {}}),
      who.init_data_digest};
  attempt.appraisal = policy::Appraise(snapshot.policy->policy, requester, attempt.request.evidence,
                                       attempt.request.report_data, ports_.trust, ports_.clock.Now());

  // The guest's own words, measured by the hardware, must name this very release.
  const auto claim = attempt.init_data
                         ? ParseReleaseClaim(*attempt.init_data)
                         : Result<ReleaseClaim>(Error{ReasonCode::kInitDataMismatch, "no init-data"});
  const bool names_release =
      claim && claim->release_id == who.id && claim->namespace_name == who.namespace_name &&
      claim->service_account == who.service_account && claim->policy == who.policy && claim->key == who.key;
  findings.push_back(kInitDataNamesIt.Find(
      names_release, "release " + who.id, claim ? "release " + claim->release_id : claim.error().ToString()));
  const bool authority_matches =
      !snapshot.key || snapshot.key->authority.Thumbprint() == snapshot.policy->authority;
  findings.push_back(kPolicyAuthority.Find(authority_matches,
                                           snapshot.key ? snapshot.key->authority.Thumbprint() : "",
                                           snapshot.policy->authority));
}

Result<bool> Broker::IsKeyOf(store::Transaction& transaction, const Snapshot& snapshot) const {
  const Registration& who = snapshot.stored->release.registration;
  const auto key = TRY(model_keys_->Find(transaction, who.namespace_name, who.key));
  return key.has_value() == snapshot.key.has_value() && (!key || key->authority == snapshot.key->authority);
}

Result<> Broker::Decide(store::Transaction& transaction, Attempt& attempt, const Snapshot& snapshot) {
  auto& findings = attempt.appraisal.tree.findings;
  attempt.decided_at = ports_.clock.Now();
  std::optional<StoredRelease> found;
  if (!attempt.release_id.empty())
    found = TRY(
        FindStoredRelease(transaction, attempt.release_id, snapshot.stored ? &*snapshot.stored : nullptr));
  Release* const current = found ? &found->release : nullptr;
  const InForce in_force = current ? TRY(PolicyOf(transaction, current->registration)) : InForce{};
  const auto& policy_now = in_force.policy;
  if (found.has_value() != snapshot.stored.has_value() ||
      in_force != InForce{snapshot.policy, snapshot.policy_altered})
    return Error{ReasonCode::kConflict, "the state under the appraisal changed"};
  // SealKey() looks at the key where all is well; a denial must not rest on one that is gone either.
  if (policy_now && !attempt.appraisal.tree.allowed() && !TRY(IsKeyOf(transaction, snapshot)))
    return Error{ReasonCode::kConflict, "the model key under the appraisal changed"};

  if (current) {
    if (current->phase == Phase::kRevoked)
      findings.push_back(kLive.Refuse("a release in force", "revoked: " + current->revocation_cause));
    // The same key again is no further release: who lost the answer may ask for it once more.
    const bool again =
        current->phase == Phase::kReleased && current->tee_key == attempt.request.tee_key.Thumbprint();
    if (policy_now && !again && current->releases >= policy_now->policy.max_releases)
      findings.push_back(
          kLimit.Refuse("at most " + std::to_string(policy_now->policy.max_releases) + " releases",
                        std::to_string(current->releases) + " made"));
  }

  TRY(FailPoint("nonce.create"));
  const auto burnt = BurnChallenge(transaction, attempt.challenge.nonce, attempt.challenge.expires);
  if (!burnt && burnt.error().code != ReasonCode::kConflict) return burnt.error();
  if (!burnt) findings.push_back(kChallengeUnused.Refuse("a challenge answered once", "answered before"));

  TRY(FailPoint("expiry.recheck"));
  // Again after the burn: a pause in between could outlast the challenge (reliability.md section 6, row 2).
  // The lifetime is the policy's where that is the shorter one.
  std::chrono::milliseconds lifetime = attempt.challenge.expires - attempt.challenge.issued;
  if (policy_now)
    lifetime = std::min<std::chrono::milliseconds>(lifetime, policy_now->policy.challenge_lifetime);
  if (attempt.challenge.IsPast(lifetime, ports_.clock))
    findings.push_back(kChallengeInTime.Refuse(FormatTimestamp(attempt.challenge.issued + lifetime),
                                               FormatTimestamp(ports_.clock.Now())));

  attempt.release = current != nullptr ? std::move(*current) : Release{};
  attempt.allowed = current != nullptr && attempt.appraisal.tree.allowed();
  if (attempt.allowed) TRY(SealKey(transaction, attempt, snapshot));
  // The one thing that a stranger can have written at will; an error takes the burn back too.
  if (!attempt.allowed && !denials_.TakeOne())
    return Error{ReasonCode::kOverloaded, "too many attestations were denied of late; nothing was decided"};
  return RecordDecision(transaction, attempt, snapshot);
}

Result<> Broker::SealKey(store::Transaction& transaction, Attempt& attempt, const Snapshot& snapshot) {
  const auto deny = [&](const std::string& why) {
    attempt.appraisal.tree.findings.push_back(
        kKeyAvailable.Refuse("model key " + attempt.release.registration.key, why));
    attempt.allowed = false;
  };
  TRY(FailPoint("key.unwrap"));
  const auto key = snapshot.key
                       ? TRY(model_keys_->Find(transaction, snapshot.key->namespace_name, snapshot.key->name))
                       : std::nullopt;
  if (!key) {
    deny("not known to the broker");
    return Done{};
  }
  const Registration& who = attempt.release.registration;
  for (const auto& [kind, name] :
       {std::pair{MirrorKind::kKey, who.key}, std::pair{MirrorKind::kPolicy, who.policy}})
    if (!TRY(IsMirroredFor(transaction, kind, {who.namespace_name, name}, who.cluster))) {
      deny("key or policy is not, or no longer, in cluster " + Quoted(who.cluster));
      return Done{};
    }
  // The appraisal saw the key before this transaction; meanwhile it may have become another authority's.
  if (key->authority.Thumbprint() != snapshot.policy->authority)
    return Error{ReasonCode::kConflict, "the authority under the appraisal changed"};
  auto jwe = model_keys_->SealTo(
      transaction, *key, attempt.request.tee_key, ports_.random,
      {{"release", attempt.release_id}, {"resource", key->resource}, {"version", key->current_version}});
  if (!jwe && jwe.error().code == ReasonCode::kAuditUnavailable) return jwe.error();
  if (!jwe) {
    deny(jwe.error().ToString());
    return Done{};
  }
  attempt.jwe = std::move(*jwe);
  attempt.key_version = key->current_version;
  attempt.release.resource = key->resource;
  return FailPoint("jwe.seal");
}

Result<> Broker::RecordDecision(store::Transaction& transaction, Attempt& attempt, const Snapshot& snapshot) {
  TRY(FailPoint("audit.append"));
  const auto& appraisal = attempt.appraisal;
  const std::vector<ReasonCode> reasons = appraisal.tree.reasons();
  codec::JsonArray reason_names, failed;
  for (const ReasonCode reason : reasons) reason_names.push_back(NameOf(reason));
  for (const auto& finding : appraisal.tree.findings)
    if (finding.outcome == evidence::Outcome::kFailed) failed.push_back(std::string_view(finding.check_id));
  const std::string evidence_digest = crypto::DigestText(attempt.request.evidence_digest);
  const std::string policy_digest = snapshot.policy ? crypto::DigestText(snapshot.policy->policy.digest) : "";
  const std::string verdict = attempt.allowed ? "allow" : "deny";
  const Registration& who = attempt.release.registration;
  const std::string jwe_text = attempt.jwe ? codec::ToText(attempt.jwe->ToJson()) : "";

  Json detail = Json::Object({{"release", attempt.release_id},
                              {"tee", attempt.challenge.tee},
                              {"evidence", evidence_digest},
                              {"policy", policy_digest},
                              {"teeKey", attempt.request.tee_key.Thumbprint()},
                              {"failedChecks", std::move(failed)},
                              {"reasons", std::move(reason_names)}});
  if (attempt.allowed)
    detail.Set("jwe", crypto::DigestText(crypto::Sha256(AsBytes(jwe_text))))
        .Set("keyVersion", attempt.key_version);
  attempt.sequence = TRY(ports_.audit.Append(
      transaction, {.kind = "decision",
                    .request_id = attempt.request_id,
                    .verdict = verdict,
                    .reason = attempt.allowed ? "" : std::string(NameOf(reasons.front())),
                    .subject = who.namespace_name + "/" + who.pod,
                    .resource = attempt.release.resource.empty() ? who.key : attempt.release.resource,
                    .detail = std::move(detail)}));
  if (!snapshot.stored) return Done{};  // recorded; there is no release to write to

  const std::string time = FormatTimestamp(attempt.decided_at);
  Release& release = attempt.release;
  const bool was_released = release.phase == Phase::kReleased;
  if (!attempt.allowed && (release.phase == Phase::kReleased || release.phase == Phase::kRevoked)) {
    // Strangers can cause denials in a pod's name; they must not take a live release away.
    codec::JsonWriter out;
    WriteNames(reasons, out.BeginObject().Name("reasons"));
    WriteProof(appraisal.tree, out.Name("checks"));
    out.Member("time", time).Name("auditSequence").Value(attempt.sequence).EndObject();
    release.last_denial = std::move(out).Take();
  } else {
    release.phase = attempt.allowed ? Phase::kReleased : Phase::kDenied;
    codec::JsonWriter out;
    WriteNames(reasons, out.BeginObject().Member("verdict", verdict).Name("reasons"));
    WriteProof(appraisal.tree, out.Name("checks"));
    out.Name("claims").Value(appraisal.claims).Name("notProven").BeginArray();
    for (const std::string& line : appraisal.not_proven) out.Text(line);
    out.EndArray().Member("tee", attempt.challenge.tee);
    out.Name("auditSequence").Value(attempt.sequence).Member("decidedAt", time);
    if (snapshot.policy) {
      const bool by_secret = snapshot.policy->policy.delivery == policy::Delivery::kSecret;
      out.Member("delivery", by_secret ? "Secret" : "Direct");
    }
    out.EndObject();
    release.decision = std::move(out).Take();
    release.policy_digest = policy_digest;
    release.evidence_digest = evidence_digest;
  }
  if (attempt.allowed) {
    const std::string tee_key = attempt.request.tee_key.Thumbprint();
    if (!was_released || release.tee_key != tee_key) release.releases += 1;
    release.tee_key = tee_key;
    release.jwe = jwe_text;
    release.lease_expires = attempt.decided_at + snapshot.policy->policy.lease;
    release.evidence = KeptEvidenceText(attempt.challenge.tee, attempt.request, attempt.init_data->text);
  }
  TRY(SaveRelease(transaction, release));
  return AppendNotice(transaction, {attempt.sequence, attempt.release_id, verdict, time, "", ""});
}

AttestReply Broker::ReplyFor(const Attempt& attempt) const {
  AttestReply reply{.allowed = attempt.allowed,
                    .reasons = attempt.appraisal.tree.reasons(),
                    .token = {},
                    .session_cookie = {},
                    .release = {}};
  if (!attempt.allowed) return reply;
  const Release& release = attempt.release;
  reply.token = IssueToken(ports_.identity.signing, release, attempt.request.tee_key, attempt.challenge.tee,
                           attempt.appraisal.claims, attempt.nonce_text, RandomHex(ports_.random, 16),
                           ports_.clock.Now());
  reply.session_cookie =
      sealer_.SealSession({attempt.release_id, release.evidence_digest, ports_.clock.Now() + kTokenLifetime});
  reply.release = Json::Object({{"id", attempt.release_id},
                                {"resource", release.resource},
                                {"version", attempt.key_version},
                                {"leaseExpires", FormatTimestamp(release.lease_expires)},
                                {"jwe", attempt.jwe->ToJson()}});
  return reply;
}

Result<codec::Json> Broker::Resource(std::string_view bearer_token, std::string_view cookie,
                                     std::string_view resource) {
  std::string release_id, evidence_digest;
  if (!bearer_token.empty()) {
    const auto claims =
        TRY(VerifyToken(ports_.identity.signing.public_key(), bearer_token, ports_.clock.Now()));
    release_id = claims.release_id;
    evidence_digest = claims.evidence_digest;
  } else if (!cookie.empty()) {
    const Session session = TRY(sealer_.OpenSession(cookie));
    release_id = session.release_id;
    evidence_digest = session.evidence_digest;
  } else {
    return Error{ReasonCode::kUnauthorized, "neither a token nor a session cookie was sent"};
  }
  if (ports_.store.latched()) return Error{ReasonCode::kAuditUnavailable, "the store takes no more writes"};
  const Release release = TRY(GetRelease(release_id));
  if (release.phase == Phase::kRevoked) return Error{ReasonCode::kRevoked, "the release was revoked"};
  if (release.phase != Phase::kReleased || release.evidence_digest != evidence_digest)
    return Error{ReasonCode::kForbidden, "the token is not of the current attestation"};
  if (ports_.clock.Now() > release.lease_expires)
    return Error{ReasonCode::kReleaseExpired, "the lease has run out"};
  // One answer for another's resource and for one that does not exist: a denial reveals neither.
  if (release.resource != resource)
    return Error{ReasonCode::kForbidden, "the release is not for this resource"};
  return codec::ParseJson(release.jwe);
}

}  // namespace portcullis::release

// What a changed policy does to live releases: each is appraised again over the evidence that was kept of it.
#include <algorithm>
#include <span>

#include "codec/text.h"
#include "policy/policy.h"
#include "release/broker.h"
#include "release/kept_evidence.h"

namespace portcullis::release {
namespace {

constexpr std::size_t kReappraisedAtOnce = 50;    // some 50 ms of a transaction, which others wait for
constexpr std::chrono::minutes kOwedInterval{1};  // new collateral is looked for as often

/// What collateral is asked about, and nothing else.
bool IsOfCollateral(ReasonCode reason) {
  return reason == ReasonCode::kCollateralStale || reason == ReasonCode::kEndorsementMissing ||
         reason == ReasonCode::kCertificateRevoked;
}

/// Whether all that fails is what we ourselves lack, and all the rest was judged: then nothing is said
/// against the guest. Where rows of the policy could not be judged, the guest may be what the new policy
/// shuts out.
bool OnlyOursFails(const evidence::ProofTree& tree) {
  return !tree.findings.empty() && std::ranges::all_of(tree.findings, [](const evidence::Finding& finding) {
    return finding.outcome == evidence::Outcome::kPassed ||
           (IsOfCollateral(finding.reason) && (finding.outcome == evidence::Outcome::kNotEvaluated ||
                                               finding.reason != ReasonCode::kCertificateRevoked));
  });
}

}  // namespace

Result<Broker::Reappraised> Broker::Reappraise(store::Transaction& transaction, std::string_view request_id,
                                               Release release, const AcceptedPolicy& policy) {
  const Registration& who = release.registration;
  const auto revoke = [&]() -> Result<Reappraised> {
    TRY(RevokeIn(transaction, request_id, release, "PolicyChanged"));
    return Reappraised::kSettled;
  };
  const auto kept = ParseKeptEvidence(release.evidence);
  // Where no Secret may hold the key any more, the one that does must go.
  const bool delivery_kept = policy.policy.delivery == policy::Delivery::kSecret ||
                             release.Decision().TextAt({"delivery"}) == "Direct";
  if (!kept || !delivery_kept || policy.policy.max_releases < release.releases) return revoke();
  const policy::Requester requester{who.namespace_name, who.service_account, who.key, kept->init_data,
                                    who.init_data_digest};
  const auto tree = policy::Appraise(policy.policy, requester, kept->evidence, kept->report_data,
                                     ports_.trust, ports_.clock.Now())
                        .tree;
  const bool owed = !tree.allowed() && OnlyOursFails(tree);
  if (!tree.allowed() && !owed) return revoke();
  // A shorter lease counts from now on, also where the rest is still owed; a longer one needs a new
  // attestation.
  const WallTime lease_expires = std::min(release.lease_expires, ports_.clock.Now() + policy.policy.lease);
  if (owed && lease_expires == release.lease_expires) return Reappraised::kOwed;
  release.lease_expires = lease_expires;
  if (!owed) release.policy_digest = crypto::DigestText(policy.policy.digest);
  TRY(SaveRelease(transaction, release));
  return owed ? Reappraised::kOwed : Reappraised::kSettled;
}

Result<Broker::Reappraised> Broker::ReappraiseLive(store::Transaction& transaction,
                                                   std::string_view request_id,
                                                   const AcceptedPolicy& policy) {
  const auto ids = TRY(LiveReleaseIdsOfPolicy(transaction, policy.policy.namespace_name, policy.policy.name));
  const auto now = std::span(ids).first(std::min(ids.size(), kReappraisedAtOnce));
  auto out = now.size() == ids.size() ? Reappraised::kSettled : Reappraised::kOwed;
  for (const std::string& id : now) {
    auto release = TRY(FindRelease(transaction, id));
    if (release &&
        TRY(Reappraise(transaction, request_id, *std::move(release), policy)) == Reappraised::kOwed)
      out = Reappraised::kOwed;
  }
  return out;
}

Result<Broker::Reappraised> Broker::ReappraiseOwed(store::Transaction& transaction, const std::string& id) {
  auto release = TRY(FindRelease(transaction, id));
  if (!release || release->phase != Phase::kReleased) return Reappraised::kSettled;
  const auto policy =
      LoadPolicy(transaction, release->registration.namespace_name, release->registration.policy);
  if (!policy && policy.error().code == ReasonCode::kAuditUnavailable) return policy.error();
  if (!policy) return Reappraised::kOwed;  // until it is put again
  if (!*policy || crypto::DigestText((*policy)->policy.digest) == release->policy_digest)
    return Reappraised::kSettled;
  return Reappraise(transaction, "", *std::move(release), **policy);
}

Result<> Broker::ReappraiseAllOwed() {
  const SteadyTime now = ports_.clock.Steady();
  // Most of the time nothing is owed, and that must cost nothing.
  if (!owed_.exchange(false) && now < owed_from_) return Done{};
  owed_from_ = now + kOwedInterval;  // also where an error ends this
  std::vector<std::string> ids;
  TRY(ports_.store.Read([&](store::Transaction& transaction) -> Result<> {
    ids = TRY(OutdatedReleaseIds(transaction));
    return Done{};
  }));
  bool left = false;
  for (std::span<const std::string> rest = ids; !rest.empty();) {
    const auto chunk = rest.first(std::min(rest.size(), kReappraisedAtOnce));
    rest = rest.subspan(chunk.size());
    TRY(ports_.store.Write([&](store::Transaction& transaction) -> Result<> {
      for (const std::string& id : chunk)
        if (TRY(ReappraiseOwed(transaction, id)) == Reappraised::kOwed) left = true;
      return Done{};
    }));
    NotifyWaiters();
  }
  if (!left) owed_from_ = SteadyTime::max();
  return Done{};
}

}  // namespace portcullis::release

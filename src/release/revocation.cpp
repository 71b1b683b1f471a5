// Taking back: on request, with a key or policy, at the end of a lease. What a new policy no longer accepts
// is found in reappraisal.cpp.
#include "base/failpoint.h"
#include "codec/text.h"
#include "policy/policy.h"
#include "release/broker.h"

namespace portcullis::release {
namespace {

using codec::Json;

bool Differs(const std::optional<std::string>& expected, const std::string& actual) {
  return expected && *expected != actual;
}

}  // namespace

Result<Release> Broker::Revoke(std::string_view request_id, const std::string& id, std::string_view cause,
                               const Expected& expected) {
  Release revoked;
  TRY(ports_.store.Write([&](store::Transaction& transaction) -> Result<> {
    const auto release = TRY(FindRelease(transaction, id));
    if (!release) return Error{ReasonCode::kNotFound, "no such release", Quoted(id)};
    const Registration& who = release->registration;
    if (Differs(expected.cluster, who.cluster) || Differs(expected.namespace_name, who.namespace_name) ||
        Differs(expected.pod_uid, who.pod_uid))
      return Error{ReasonCode::kConflict, "the release is of another cluster, namespace or pod", Quoted(id)};
    if (release->phase != Phase::kRevoked) TRY(RevokeIn(transaction, request_id, *release, cause));
    revoked = *TRY(FindRelease(transaction, id));
    return Done{};
  }));
  NotifyWaiters();
  return revoked;
}

Result<> Broker::RevokeIn(store::Transaction& transaction, std::string_view request_id, Release release,
                          std::string_view cause) {
  TRY(FailPoint("revoke.append"));
  const Registration& who = release.registration;
  const std::int64_t sequence = TRY(ports_.audit.Append(
      transaction,
      {.kind = "revocation",
       .request_id = std::string(request_id),
       .verdict = "",
       .reason = std::string(NameOf(ReasonCode::kRevoked)),
       .subject = who.namespace_name + "/" + who.pod,
       .resource = release.resource.empty() ? who.key : release.resource,
       .detail = Json::Object(
           {{"release", who.id}, {"cause", cause}, {"wasReleased", release.phase == Phase::kReleased}})}));
  release.phase = Phase::kRevoked;
  release.revocation_cause = cause;
  release.jwe.clear();
  release.evidence.clear();
  TRY(SaveRelease(transaction, release));
  TRY(AppendNotice(transaction, {sequence, who.id, "revoke", FormatTimestamp(ports_.clock.Now()), "", ""}));
  ports_.metrics.Revocation(cause);
  return Done{};
}

Result<> Broker::RevokeAll(store::Transaction& transaction, std::string_view request_id,
                           const std::vector<std::string>& ids, std::string_view cause) {
  for (const std::string& id : ids)
    if (const auto release = TRY(FindRelease(transaction, id)); release && release->phase == Phase::kReleased)
      TRY(RevokeIn(transaction, request_id, *release, cause));
  return Done{};
}

Result<Json> Broker::DryRun(const Json& body) {
  codec::ObjectReader in = TRY(codec::ObjectReader::Open(body));
  const policy::Policy policy = TRY_AT("policy", policy::ParsePolicy(*TRY(in.Object("policy"))));
  const auto tee = policy::TeeNamed(TRY(in.Text("tee", 32)));
  if (!tee) return Error{ReasonCode::kTeeMismatch, "this TEE is not verified here", "tee"};
  const policy::Evidence evidence =
      TRY_AT("evidence", policy::ParseEvidence(*tee, *TRY(in.Object("evidence"))));
  const codec::InitData init_data =
      TRY_AT("initData", codec::ParseInitData(TRY(in.Text("initData", codec::kMaxInitDataBytes))));
  const auto report_data = TRY_AT("reportData", codec::DecodeHex(TRY(in.Text("reportData", 128))));
  const std::string namespace_name = TRY(in.Text("namespace", 253));
  const std::string service_account = TRY(in.Text("serviceAccount", 253));
  const std::string key_name = TRY(in.Text("key", 253));
  const policy::Requester requester{namespace_name, service_account, key_name, init_data,
                                    crypto::Sha256(AsBytes(init_data.text))};
  TRY(in.Finish());
  const policy::Appraisal appraisal =
      policy::Appraise(policy, requester, evidence, report_data, ports_.trust, ports_.clock.Now());
  codec::JsonArray reasons, not_proven;
  for (const ReasonCode reason : appraisal.tree.reasons()) reasons.push_back(NameOf(reason));
  for (const std::string& line : appraisal.not_proven) not_proven.push_back(line);
  return Json::Object({{"verdict", appraisal.tree.allowed() ? "allow" : "deny"},
                       {"reasons", reasons},
                       {"checks", appraisal.tree.ToJson()},
                       {"claims", appraisal.claims},
                       {"notProven", not_proven}});
}

}  // namespace portcullis::release

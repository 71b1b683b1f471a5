#include <algorithm>

#include "policy/policy.h"

namespace portcullis::policy {
namespace {

using evidence::Check;
using evidence::Comparison;

/// What the rows below compare.
struct Request {
  const Policy& policy;
  const Requester& requester;
  crypto::Sha256Digest presented_init_data;  // of the exact text
};

const SubjectRule* RuleFor(const Policy& policy, const Requester& requester) {
  const auto found = std::ranges::find_if(policy.subjects, [&](const SubjectRule& rule) {
    return rule.namespace_name == requester.namespace_name &&
           rule.service_account == requester.service_account;
  });
  return found == policy.subjects.end() ? nullptr : &*found;
}

std::string SubjectText(std::string_view namespace_name, std::string_view service_account) {
  return std::string(namespace_name) + "/" + std::string(service_account);
}

Comparison TeeAllowed(const Request& r) {
  return {r.policy.snp.has_value(), "snp in the policy's tees", r.policy.snp ? "present" : "absent"};
}

Comparison KeyAllowed(const Request& r) {
  std::string expected = "one of";
  for (const std::string& key : r.policy.keys) expected += " " + key;
  const bool listed = std::ranges::find(r.policy.keys, r.requester.key_name) != r.policy.keys.end();
  return {listed, std::move(expected), Quoted(r.requester.key_name)};
}

Comparison SubjectAllowed(const Request& r) {
  std::string expected = "one of";
  for (const SubjectRule& rule : r.policy.subjects)
    expected += " " + SubjectText(rule.namespace_name, rule.service_account);
  return {RuleFor(r.policy, r.requester) != nullptr, std::move(expected),
          Quoted(SubjectText(r.requester.namespace_name, r.requester.service_account))};
}

// HOST_DATA has 32 bytes: a longer digest would have to be cut, and a cut digest is another algorithm.
Comparison InitDataAlgorithm(const Request& r) {
  return {r.requester.init_data.algorithm == "sha256", "sha256", Quoted(r.requester.init_data.algorithm)};
}

Comparison InitDataAdmitted(const Request& r) {
  return {r.presented_init_data == r.requester.admitted_init_data,
          crypto::DigestText(r.requester.admitted_init_data), crypto::DigestText(r.presented_init_data)};
}

/// Every entry but the webhook's own is pinned, and every pinned entry is there: an entry that nobody pinned
/// configures the guest behind the key owner's back, and one left out falls back to a default.
Comparison InitDataEntries(const Request& r) {
  const SubjectRule* const rule = RuleFor(r.policy, r.requester);
  if (rule == nullptr) return {.passed = false, .expected = {}, .actual = {}, .evaluated = false};
  std::string problems;
  const auto note = [&problems](std::string_view entry, std::string_view problem) {
    if (!problems.empty()) problems += ", ";
    problems += Quoted(entry) + " " + std::string(problem);
  };
  for (const auto& [entry, text] : r.requester.init_data.data) {
    if (entry == kReleaseEntry) continue;
    const auto pin = rule->init_data.find(entry);
    if (pin == rule->init_data.end())
      note(entry, "is not pinned");
    else if (!pin->second.contains(crypto::Sha256(AsBytes(text))))
      note(entry, "has " + crypto::DigestText(crypto::Sha256(AsBytes(text))));
  }
  std::string expected;
  for (const auto& [entry, digests] : rule->init_data) {
    if (!r.requester.init_data.data.contains(entry)) note(entry, "is missing");
    if (!expected.empty()) expected += ", ";
    expected += Quoted(entry) + " of " + std::to_string(digests.size()) + " allowed";
  }
  return {problems.empty(), expected.empty() ? "no entries" : std::move(expected),
          problems.empty() ? "as pinned" : std::move(problems)};
}

constexpr Check<Request> kChecks[] = {
    {"policy.tee-allowed", ReasonCode::kTeeMismatch, "policy.md, tees", TeeAllowed},
    {"policy.key-allowed", ReasonCode::kSubjectNotAllowed, "policy.md, keys", KeyAllowed},
    {"policy.subject-allowed", ReasonCode::kSubjectNotAllowed, "policy.md, subjects", SubjectAllowed},
    {"policy.init-data-algorithm", ReasonCode::kInitDataMismatch, "AMD 56860, HOST_DATA", InitDataAlgorithm},
    {"policy.init-data-admitted", ReasonCode::kInitDataMismatch, "api.md, portcullis.json", InitDataAdmitted},
    {"policy.init-data-entries", ReasonCode::kSubjectNotAllowed, "policy.md, subjects[].initData",
     InitDataEntries},
};

}  // namespace

Appraisal AppraiseSnp(const Policy& policy, const Requester& requester, const SnpEvidence& evidence,
                      const snp::ReportData& report_data, const snp::EndorsementSource& endorsements,
                      const snp::TrustAnchors& anchors, WallTime now) {
  const crypto::Sha256Digest presented = crypto::Sha256(AsBytes(requester.init_data.text));
  const snp::Binding binding{report_data, snp::HostData(presented.array())};
  // Without SNP rules only the baseline runs, for display: policy.tee-allowed then refuses.
  const snp::ReferenceValues* const reference = policy.snp ? &*policy.snp : nullptr;
  snp::Verification verified = snp::VerifySnp(evidence.report, evidence.certificates, &endorsements, anchors,
                                              now, reference, &binding);

  Appraisal out{std::move(verified.tree), std::move(verified.claims), std::move(verified.not_proven)};
  evidence::Appraise(std::span<const Check<Request>>(kChecks), Request{policy, requester, presented},
                     out.tree);
  return out;
}

std::vector<evidence::Finding> RequestCheckRows() {
  evidence::ProofTree rows;
  evidence::NotEvaluated(std::span<const Check<Request>>(kChecks), rows);
  return std::move(rows.findings);
}

}  // namespace portcullis::policy

#include <algorithm>

#include "evidence/azure/checks.h"
#include "evidence/snp/checks.h"
#include "policy/policy.h"

namespace portcullis::policy {
namespace {

using evidence::Check;
using evidence::Comparison;

/// What the rows below compare.
struct Request {
  const Policy& policy;
  const Requester& requester;
  std::string_view tee;
  bool tee_allowed;
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
  return {r.tee_allowed, std::string(r.tee) + " in the policy's tees", r.tee_allowed ? "present" : "absent"};
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

// HOST_DATA and a PCR have 32 bytes, MRCONFIGID 48: a longer digest would have to be cut, and a cut digest is
// another algorithm.
Comparison InitDataAlgorithm(const Request& r) {
  const std::string& found = r.requester.init_data.algorithm;
  const bool wide = r.tee == kTdx;
  return {found == "sha256" || (wide && found == "sha384"), wide ? "sha256 or sha384" : "sha256",
          Quoted(found)};
}

Comparison InitDataAdmitted(const Request& r) {
  return {r.presented_init_data == r.requester.admitted_init_data,
          crypto::DigestText(r.requester.admitted_init_data), crypto::DigestText(r.presented_init_data)};
}

/// What is wrong with entries, as far as a person reads: who sends init-data decides how many there are.
class EntryProblems {
 public:
  void Note(std::string_view entry, std::string_view problem) {
    if (++count_ > kNamed) return;
    if (!text_.empty()) text_ += ", ";
    text_ += Quoted(entry) + " " + std::string(problem);
  }
  bool none() const { return count_ == 0; }
  std::string Text() const {
    return count_ > kNamed ? text_ + " and " + std::to_string(count_ - kNamed) + " more" : text_;
  }

 private:
  static constexpr std::size_t kNamed = 16;
  std::size_t count_ = 0;
  std::string text_;
};

/// Every entry but the webhook's own is pinned, and every pinned entry is there: an entry that nobody pinned
/// configures the guest behind the key owner's back, and one left out falls back to a default.
Comparison InitDataEntries(const Request& r) {
  const SubjectRule* const rule = RuleFor(r.policy, r.requester);
  if (rule == nullptr) return {.passed = false, .expected = {}, .actual = {}, .evaluated = false};
  EntryProblems problems;
  for (const auto& [entry, text] : r.requester.init_data.data) {
    if (entry == kReleaseEntry) continue;
    const auto pin = rule->init_data.find(entry);
    if (pin == rule->init_data.end())
      problems.Note(entry, "is not pinned");
    else if (!pin->second.contains(crypto::Sha256(AsBytes(text))))
      problems.Note(entry, "has " + crypto::DigestText(crypto::Sha256(AsBytes(text))));
  }
  std::string expected;
  for (const auto& [entry, digests] : rule->init_data) {
    if (!r.requester.init_data.data.contains(entry)) problems.Note(entry, "is missing");
    if (!expected.empty()) expected += ", ";
    expected += Quoted(entry) + " of " + std::to_string(digests.size()) + " allowed";
  }
  return {problems.none(), expected.empty() ? "no entries" : std::move(expected),
          problems.none() ? "as pinned" : problems.Text()};
}

constexpr Check<Request> kChecks[] = {
    {"policy.tee-allowed", ReasonCode::kTeeMismatch, "policy.md, tees", TeeAllowed},
    {"policy.key-allowed", ReasonCode::kSubjectNotAllowed, "policy.md, keys", KeyAllowed},
    {"policy.subject-allowed", ReasonCode::kSubjectNotAllowed, "policy.md, subjects", SubjectAllowed},
    {"policy.init-data-algorithm", ReasonCode::kInitDataMismatch, "policy.md, init-data", InitDataAlgorithm},
    {"policy.init-data-admitted", ReasonCode::kInitDataMismatch, "api.md, portcullis.json", InitDataAdmitted},
    {"policy.init-data-entries", ReasonCode::kSubjectNotAllowed, "policy.md, subjects[].initData",
     InitDataEntries},
};

/// MRCONFIGID of a TD that was launched for this init-data: the digest by its own algorithm, behind it zeros.
tdx::Measurement ConfigIdOf(const codec::InitData& init_data, const crypto::Sha256Digest& sha256) {
  if (init_data.algorithm == "sha384")
    return tdx::Measurement(crypto::Sha384(AsBytes(init_data.text)).array());
  std::array<std::byte, tdx::Measurement::kSize> padded{};
  std::ranges::copy(sha256.array(), padded.begin());
  return tdx::Measurement(padded);
}

/// The binding of a TEE whose report data has one size; nullopt where what is expected has another.
template <typename Binding, typename Register>
std::optional<Binding> BindingOf(Bytes report_data, const Register& init_data) {
  const auto data = decltype(Binding::report_data)::From(report_data);
  if (!data) return std::nullopt;
  return Binding{*data, init_data};
}

template <typename T>
const T* PointerTo(const std::optional<T>& value) {
  return value ? &*value : nullptr;
}

/// Verifies evidence of each kind.
struct Verifier {
  const Policy& policy;
  const codec::InitData& init_data;
  const crypto::Sha256Digest& init_data_sha256;
  Bytes report_data;
  const TrustSources& trust;
  WallTime now;

  evidence::Verification operator()(const SnpEvidence& evidence) const {
    const auto binding = BindingOf<snp::Binding>(report_data, snp::HostData(init_data_sha256.array()));
    return snp::VerifySnp(evidence.report, evidence.certificates, &trust.endorsements, trust.snp_anchors, now,
                          PointerTo(policy.snp), PointerTo(binding));
  }
  evidence::Verification operator()(const tdx::Evidence& evidence) const {
    const auto binding = BindingOf<tdx::Binding>(report_data, ConfigIdOf(init_data, init_data_sha256));
    return tdx::VerifyTdx(evidence, trust.collateral, trust.tdx_anchors, now, PointerTo(policy.tdx),
                          PointerTo(binding));
  }
  evidence::Verification operator()(const azure::SnpEvidence& evidence) const {
    const azure::Binding binding{ToBuffer(report_data), init_data_sha256};
    return azure::VerifyAzSnp(evidence, &trust.endorsements, trust.snp_anchors, now, PointerTo(policy.az_snp),
                              &binding);
  }
  evidence::Verification operator()(const azure::TdxEvidence& evidence) const {
    const azure::Binding binding{ToBuffer(report_data), init_data_sha256};
    return azure::VerifyAzTdx(evidence, trust.collateral, trust.tdx_anchors, now, PointerTo(policy.az_tdx),
                              &binding);
  }
};

bool HasRulesFor(const Policy& policy, std::string_view tee) {
  return (tee == kSnp && policy.snp) || (tee == kTdx && policy.tdx) || (tee == kAzSnp && policy.az_snp) ||
         (tee == kAzTdx && policy.az_tdx);
}

}  // namespace

Appraisal Appraise(const Policy& policy, const Requester& requester, const Evidence& evidence,
                   Bytes report_data, const TrustSources& trust, WallTime now) {
  const crypto::Sha256Digest presented = crypto::Sha256(AsBytes(requester.init_data.text));
  evidence::Verification verified =
      std::visit(Verifier{policy, requester.init_data, presented, report_data, trust, now}, evidence);

  Appraisal out{std::move(verified.tree), std::move(verified.claims), std::move(verified.not_proven)};
  const std::string_view tee = TeeOf(evidence);
  evidence::Appraise(std::span<const Check<Request>>(kChecks),
                     Request{policy, requester, tee, HasRulesFor(policy, tee), presented}, out.tree);
  return out;
}

std::vector<evidence::Finding> RequestCheckRows() {
  evidence::ProofTree rows;
  evidence::NotEvaluated(std::span<const Check<Request>>(kChecks), rows);
  return std::move(rows.findings);
}

}  // namespace portcullis::policy

#include "evidence/snp/checks.h"

#include <algorithm>
#include <iterator>

#include "evidence/snp/claims.h"
#include "evidence/snp/tables.h"

namespace portcullis::snp {
namespace {

using evidence::Finding;
using evidence::Outcome;

/// What ParseReport() refuses, as rows; the row whose reason it gave is the one that failed.
constexpr struct FormRow {
  std::string_view id;
  ReasonCode reason;
  std::string_view source, expected;
} kFormRows[] = {
    {"snp.report-version-supported", ReasonCode::kEvidenceVersionUnsupported,
     "AMD 56860, ATTESTATION_REPORT VERSION", "a version of 3 to 5"},
    {"snp.product-known", ReasonCode::kProductNotAllowed, "AMD 56860, CPUID_FAM_ID and CPUID_MOD_ID",
     "Milan, Genoa or Turin"},
    {"snp.report-well-formed", ReasonCode::kEvidenceMalformed, "AMD 56860, ATTESTATION_REPORT",
     "1184 bytes with every reserved byte zero"},
};

void AddFormRows(const Result<Report>& parsed, evidence::ProofTree& tree) {
  for (const FormRow& row : kFormRows) {
    Finding finding{row.id,        row.reason, Outcome::kPassed, std::string(row.expected),
                    "as expected", row.source};
    if (!parsed) {
      const bool failed = parsed.error().code == row.reason;
      finding.outcome = failed ? Outcome::kFailed : Outcome::kNotEvaluated;
      finding.actual = failed ? parsed.error().ToString() : "";
    }
    tree.findings.push_back(std::move(finding));
  }
}

void AddNotEvaluated(std::vector<Finding> rows, evidence::ProofTree& tree) {
  std::ranges::move(rows, std::back_inserter(tree.findings));
}

void AddLaterRowsNotEvaluated(bool with_revocation, bool with_policy, evidence::ProofTree& tree) {
  if (with_revocation) evidence::NotEvaluated(RevocationChecks(), tree);
  evidence::NotEvaluated(BaselineChecks(), tree);
  if (with_policy) evidence::NotEvaluated(PolicyChecks(), tree);
}

void AppraiseRevocation(const AuthenticReport& report, const EndorsementSource* endorsements,
                        const ProductAnchors& anchors, WallTime now, const ReferenceValues* reference,
                        evidence::ProofTree& tree) {
  const std::shared_ptr<const crypto::Crl> list =
      endorsements == nullptr ? nullptr : endorsements->FindCrl(report->product);
  const auto max_age = reference == nullptr ? std::nullopt : std::optional(reference->max_crl_age);
  evidence::Appraise(RevocationChecks(), {list.get(), anchors, report.key_kind(), now, max_age}, tree);
}

}  // namespace

std::span<const evidence::Check<Subject>> PolicyChecks() {
  static const auto rows = [] {
    std::vector<evidence::Check<Subject>> all(PlatformChecks().begin(), PlatformChecks().end());
    all.insert(all.end(), WorkloadChecks().begin(), WorkloadChecks().end());
    return all;
  }();
  return rows;
}

std::vector<Finding> CheckRows() {
  evidence::ProofTree rows;
  for (const FormRow& row : kFormRows)
    rows.findings.push_back({row.id, row.reason, Outcome::kNotEvaluated, "", "", row.source});
  AddNotEvaluated(ChainCheckRows(), rows);
  AddLaterRowsNotEvaluated(true, true, rows);
  return rows.findings;
}

Verification VerifySnp(Bytes report, std::span<const crypto::Certificate> certificates,
                       const EndorsementSource* endorsements, const TrustAnchors& anchors, WallTime now,
                       const ReferenceValues* reference, const Binding* binding) {
  Verification out{.tree = {}, .claims = codec::Json::Object({}), .not_proven = {}};
  const bool with_revocation = endorsements != nullptr || reference != nullptr;
  const auto parsed = ParseReport(report);
  AddFormRows(parsed, out.tree);
  if (!parsed) {
    AddNotEvaluated(ChainCheckRows(), out.tree);
    AddLaterRowsNotEvaluated(with_revocation, reference != nullptr, out.tree);
    return out;
  }

  const auto authentic = Authenticate(*parsed, report, certificates, endorsements, anchors, now, out.tree);
  if (!authentic) {
    out.claims = ClaimsOf(*parsed);
    AddLaterRowsNotEvaluated(with_revocation, reference != nullptr, out.tree);
    return out;
  }

  out.claims = ClaimsOf(*authentic);
  out.not_proven = NotProvenBy(*authentic);
  if (with_revocation)
    AppraiseRevocation(*authentic, endorsements, *anchors.For((*authentic)->product), now, reference,
                       out.tree);
  else
    out.not_proven.emplace_back("AMD's revocation list was not looked at.");
  evidence::Appraise(BaselineChecks(), *authentic, out.tree);
  // A policy with nothing to bind to proves nothing about this attestation: its rows stay open, which denies.
  if (reference != nullptr && binding != nullptr)
    evidence::Appraise(PolicyChecks(), Subject{*authentic, *reference, *binding}, out.tree);
  else if (reference != nullptr)
    evidence::NotEvaluated(PolicyChecks(), out.tree);
  return out;
}

}  // namespace portcullis::snp

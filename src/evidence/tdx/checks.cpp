#include "evidence/tdx/checks.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "evidence/tdx/chain.h"
#include "evidence/tdx/claims.h"
#include "evidence/tdx/tables.h"

namespace portcullis::tdx {
namespace {

using evidence::Finding;
using evidence::Outcome;

constexpr std::size_t kRowCountHint = 80;

std::array<std::span<const evidence::Check<Subject>>, 4> PolicyTables() {
  return {PlatformChecks(), AttributeChecks(), MeasurementChecks(), EventChecks()};
}

/// ParseQuote() stops at the first defect: rows before it passed, rows behind it can't be told.
void AddFormRows(const Result<Quote>& parsed, evidence::ProofTree& tree) {
  bool reached = true;
  for (const FormRow& row : FormRows()) {
    const bool failed = !parsed && parsed.error().where == row.id;
    Finding finding{row.id, row.reason, Outcome::kNotEvaluated, std::string(row.expected), "", row.source};
    if (failed) {
      finding.outcome = Outcome::kFailed;
      finding.actual = parsed.error().ToString();
      reached = false;
    } else if (reached) {
      finding.outcome = Outcome::kPassed;
      finding.actual = "as expected";
    }
    tree.findings.push_back(std::move(finding));
  }
}

void AddChainRowsNotEvaluated(evidence::ProofTree& tree) {
  std::ranges::move(ChainCheckRows(), std::back_inserter(tree.findings));
}

void AddPolicyRowsNotEvaluated(bool with_policy, evidence::ProofTree& tree) {
  if (!with_policy) return;
  for (const auto& table : PolicyTables()) evidence::NotEvaluated(table, tree);
}

ExaminedLog ExamineLog(Bytes bytes) {
  ExaminedLog out;
  out.present = !bytes.empty();
  if (!out.present) return out;
  auto log = ParseEventLog(bytes);
  if (!log) {
    out.defect = log.error().ToString();
    return out;
  }
  out.replayed = log->Replay();
  out.log = std::move(log).value();
  return out;
}

}  // namespace

std::vector<Finding> CheckRows() {
  evidence::ProofTree rows;
  for (const FormRow& row : FormRows())
    rows.findings.push_back({row.id, row.reason, Outcome::kNotEvaluated, "", "", row.source});
  AddChainRowsNotEvaluated(rows);
  evidence::NotEvaluated(BaselineChecks(), rows);
  AddPolicyRowsNotEvaluated(true, rows);
  return rows.findings;
}

evidence::Verification VerifyTdx(const Evidence& evidence, const CollateralSource& collateral,
                                 const TrustAnchors& anchors, WallTime now, const ReferenceValues* reference,
                                 const Binding* binding) {
  evidence::Verification out{.tree = {}, .claims = codec::Json::Object({}), .not_proven = {}};
  out.tree.findings.reserve(kRowCountHint);
  const auto parsed = ParseQuote(evidence.quote);
  AddFormRows(parsed, out.tree);
  if (!parsed) {
    AddChainRowsNotEvaluated(out.tree);
    evidence::NotEvaluated(BaselineChecks(), out.tree);
    AddPolicyRowsNotEvaluated(reference != nullptr, out.tree);
    return out;
  }

  const EvaluationSet set = reference != nullptr ? reference->evaluation_set : EvaluationSet::kStandard;
  const auto authentic = Authenticate(*parsed, collateral, set, anchors, now, out.tree);
  if (!authentic) {
    out.claims = ClaimsOf(*parsed);
    evidence::NotEvaluated(BaselineChecks(), out.tree);
    AddPolicyRowsNotEvaluated(reference != nullptr, out.tree);
    return out;
  }

  out.claims = ClaimsOf(*authentic);
  const ExaminedLog log = ExamineLog(evidence.event_log);
  out.not_proven = NotProvenBy(*authentic, log.present);
  evidence::Appraise(BaselineChecks(), BaselineSubject{*authentic, log}, out.tree);
  // A policy with nothing to bind to proves nothing about this attestation: its rows stay open, which denies.
  if (reference != nullptr && binding != nullptr)
    for (const auto& table : PolicyTables())
      evidence::Appraise(table, Subject{*authentic, log, *reference, *binding}, out.tree);
  else
    AddPolicyRowsNotEvaluated(reference != nullptr, out.tree);
  return out;
}

}  // namespace portcullis::tdx

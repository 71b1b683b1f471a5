#include "evidence/check.h"

#include <algorithm>

namespace portcullis::evidence {

std::string_view NameOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPassed:
      return "passed";
    case Outcome::kFailed:
      return "failed";
    case Outcome::kNotEvaluated:
      return "notEvaluated";
  }
  return "notEvaluated";
}

bool ProofTree::allowed() const {
  return !findings.empty() &&
         std::ranges::all_of(findings, [](const Finding& f) { return f.outcome == Outcome::kPassed; });
}

std::vector<ReasonCode> ProofTree::reasons() const {
  std::vector<ReasonCode> out;
  for (const Finding& finding : findings)
    if (finding.outcome == Outcome::kFailed && std::ranges::find(out, finding.reason) == out.end())
      out.push_back(finding.reason);
  return out;
}

codec::Json ProofTree::ToJson() const {
  codec::JsonArray out;
  for (const Finding& finding : findings)
    out.push_back(codec::Json::Object({{"id", finding.check_id},
                                       {"reason", portcullis::NameOf(finding.reason)},
                                       {"outcome", NameOf(finding.outcome)},
                                       {"expected", finding.expected},
                                       {"actual", finding.actual},
                                       {"source", finding.source}}));
  return out;
}

}  // namespace portcullis::evidence

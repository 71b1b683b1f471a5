#include "cli/verdict.h"

#include <algorithm>
#include <ostream>

namespace portcullis::cli {
namespace {

codec::JsonArray NamesOf(const std::vector<ReasonCode>& reasons) {
  codec::JsonArray out;
  for (const ReasonCode reason : reasons) out.emplace_back(NameOf(reason));
  return out;
}

void PrintFinding(const evidence::Finding& finding, const Context& context) {
  std::ostream& out = context.out();
  switch (finding.outcome) {
    case evidence::Outcome::kPassed:
      out << "  " << context.Paint(Colour::kGood, "pass") << "  " << finding.check_id << "\n";
      return;
    case evidence::Outcome::kNotEvaluated:
      out << "  "
          << context.Paint(Colour::kFaint, "----  " + std::string(finding.check_id) + "  not evaluated")
          << "\n";
      return;
    case evidence::Outcome::kFailed:
      out << "  " << context.Paint(Colour::kBad, "FAIL") << "  " << finding.check_id << "  "
          << NameOf(finding.reason) << "\n        expected  " << Printable(finding.expected)
          << "\n        actual    " << Printable(finding.actual) << "\n        source    " << finding.source
          << "\n";
      return;
  }
}

void PrintText(const Verdict& verdict, const Context& context) {
  std::ostream& out = context.out();
  const std::vector<ReasonCode> reasons = verdict.tree.reasons();
  out << (verdict.tree.allowed() ? context.Paint(Colour::kGood, "ALLOW")
                                 : context.Paint(Colour::kBad, "DENY"));
  for (const ReasonCode reason : reasons) out << " " << NameOf(reason);
  out << "\n\nChecks\n";
  for (const evidence::Finding& finding : verdict.tree.findings) PrintFinding(finding, context);
  if (const auto* claims = verdict.claims.if_object(); claims != nullptr && !claims->empty())
    out << "\nClaims\n" << codec::ToYaml(verdict.claims);
  if (!verdict.not_proven.empty()) out << "\nNot proven\n";
  for (const std::string& line : verdict.not_proven) out << "  - " << Printable(line) << "\n";
  if (!reasons.empty()) out << "\nWhat to do\n";
  for (const ReasonCode reason : reasons)
    out << "  " << NameOf(reason) << ": " << ReasonFor(reason).remedy << "\n";
}

}  // namespace

Exit PrintVerdict(const Verdict& verdict, std::string_view format, const Context& context) {
  const bool allowed = verdict.tree.allowed();
  const std::vector<ReasonCode> reasons = verdict.tree.reasons();
  if (format == "json") {
    codec::JsonArray not_proven(verdict.not_proven.begin(), verdict.not_proven.end());
    context.PrintJson(codec::Json::Object({{"verdict", allowed ? "allow" : "deny"},
                                           {"reasons", NamesOf(reasons)},
                                           {"checks", verdict.tree.ToJson()},
                                           {"claims", verdict.claims},
                                           {"notProven", std::move(not_proven)}}));
  } else {
    PrintText(verdict, context);
  }
  if (allowed) return Exit::kDone;
  const bool malformed = std::ranges::find(reasons, ReasonCode::kEvidenceMalformed) != reasons.end();
  return malformed ? Exit::kMalformedInput : Exit::kDenied;
}

}  // namespace portcullis::cli

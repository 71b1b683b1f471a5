#include "policy/tcb_rules.h"

#include <algorithm>
#include <cctype>

#include "policy/fields.h"

namespace portcullis::policy {
namespace {

using codec::ObjectReader;
using tdx::TcbStatus;

constexpr StaticText kMustBeStatus("must be a TCB status that can be accepted; Revoked never is");

Result<TcbStatus> ReadStatus(std::string_view name, std::string_view text) {
  const auto status = tdx::TcbStatusOf(text);
  if (!status || *status == TcbStatus::kRevoked) return Incomplete(kMustBeStatus, name, text);
  return *status;
}

/// As Intel writes it: "INTEL-SA-" and five digits. A name that is no advisory's would match none.
bool IsAdvisory(std::string_view text) {
  constexpr std::string_view kPrefix = "INTEL-SA-";
  constexpr std::size_t kDigits = 5;
  return text.size() == kPrefix.size() + kDigits && text.starts_with(kPrefix) &&
         std::ranges::all_of(text.substr(kPrefix.size()), [](char c) { return c >= '0' && c <= '9'; });
}

Result<std::set<std::string>> ReadAdvisories(ObjectReader& in, std::string_view name) {
  std::set<std::string> out;
  for (std::string& text : TRY(in.Texts(name, kMaxAdvisories))) {
    if (!IsAdvisory(text)) return Incomplete("must list Intel's advisories as INTEL-SA-00837", name, text);
    out.insert(std::move(text));
  }
  return out;
}

Result<WallTime> ReadTime(ObjectReader& in, std::string_view name) {
  const std::string text = TRY(in.Text(name));
  const auto time = ParseTimestamp(text);
  if (!time) return Incomplete("must be a time as 2026-03-01T00:00:00Z", name, text);
  return *time;
}

Result<> ReadEvaluation(ObjectReader& in, tdx::ReferenceValues& out) {
  constexpr Choice<tdx::EvaluationSet> kSets[] = {{"standard", tdx::EvaluationSet::kStandard},
                                                  {"early", tdx::EvaluationSet::kEarly}};
  out.evaluation_set = TRY(OneOf(in, "set", kSets, "must be standard or early"));
  out.min_evaluation_number = static_cast<std::uint32_t>(TRY(in.Integer("minNumber", 1, UINT32_MAX)));
  return Done{};
}

Result<tdx::TcbException> ReadException(ObjectReader& in) {
  tdx::TcbException out;
  const std::string status = TRY(in.Text("status"));
  out.status = TRY(ReadStatus("status", status));
  if (out.status == TcbStatus::kUpToDate)
    return Incomplete("needs no exception; list it under statuses", "status", status);
  out.advisories = TRY(ReadAdvisories(in, "advisories"));
  out.tcb_date_floor = TRY(ReadTime(in, "tcbDateFloor"));
  out.until = TRY(ReadTime(in, "until"));
  if (out.until <= out.tcb_date_floor) return Incomplete("must come after tcbDateFloor", "until");
  return out;
}

Result<std::vector<tdx::TcbException>> ReadExceptions(ObjectReader& in) {
  if (TRY(in.Array("exceptions", kMaxTcbExceptions))->empty()) return std::vector<tdx::TcbException>();
  return ReadObjects<tdx::TcbException>(in, "exceptions", kMaxTcbExceptions, ReadException);
}

Result<> RefuseContradictions(const tdx::ReferenceValues& rules) {
  if (rules.tcb_statuses.empty() && rules.tcb_exceptions.empty())
    return Incomplete("must list at least one status where there are no exceptions", "statuses");
  for (std::size_t i = 0; i < rules.tcb_exceptions.size(); ++i) {
    const tdx::TcbException& exception = rules.tcb_exceptions[i];
    const std::string place = "exceptions[" + std::to_string(i) + "].";
    if (rules.tcb_statuses.contains(exception.status))
      return Incomplete("is accepted without an end under statuses, so the exception would say nothing",
                        place + "status", tdx::NameOf(exception.status));
    for (const std::string& advisory : exception.advisories)
      if (rules.denied_advisories.contains(advisory))
        return Incomplete("has an advisory of deniedAdvisories too", place + "advisories", advisory);
  }
  return Done{};
}

}  // namespace

Result<> ReadTcbRules(ObjectReader& in, tdx::ReferenceValues& out) {
  TRY(ReadObject(in, "evaluation", [&](ObjectReader& inner) { return ReadEvaluation(inner, out); }));
  for (const std::string& text : TRY(in.Texts("statuses", 16)))
    out.tcb_statuses.insert(TRY(ReadStatus("statuses", text)));
  out.tcb_exceptions = TRY(ReadExceptions(in));
  out.denied_advisories = TRY(ReadAdvisories(in, "deniedAdvisories"));
  return RefuseContradictions(out);
}

}  // namespace portcullis::policy

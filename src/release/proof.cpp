#include "release/proof.h"

#include <map>

#include "evidence/azure/checks.h"
#include "evidence/snp/checks.h"
#include "evidence/tdx/checks.h"
#include "policy/policy.h"

namespace portcullis::release {
namespace {

using codec::Json;

struct TableRow {
  ReasonCode reason;
  evidence::TableText source;
};

/// Every row of every table by its id, which has one reason and one source wherever it stands.
const std::map<std::string_view, TableRow>& AllRows() {
  static const auto kRows = [] {
    std::map<std::string_view, TableRow> rows;
    for (const auto& table :
         {snp::CheckRows(), tdx::CheckRows(), azure::CheckRows(), policy::RequestCheckRows()})
      for (const evidence::Finding& row : table)
        rows.try_emplace(row.check_id, TableRow{row.reason, row.source});
    for (const RequestRow& row :
         {kRegistered, kPolicyAccepted, kPolicyIntact, kInitDataNamesIt, kPolicyAuthority, kLive, kLimit,
          kChallengeUnused, kChallengeInTime, kKeyAvailable})
      rows.try_emplace(row.id, TableRow{row.reason, row.source});
    return rows;
  }();
  return kRows;
}

Json Cell(const codec::JsonArray& row, std::size_t column) {
  return column < row.size() ? row[column] : Json("");
}

}  // namespace

evidence::Finding RequestRow::Find(bool passed, std::string expected, std::string actual) const {
  const auto outcome = passed ? evidence::Outcome::kPassed : evidence::Outcome::kFailed;
  return {id, reason, outcome, std::move(expected), std::move(actual), source};
}

void WriteProof(const evidence::ProofTree& tree, codec::JsonWriter& out) {
  out.BeginArray();
  for (const evidence::Finding& finding : tree.findings)
    out.BeginArray()
        .Text(finding.check_id)
        .Text(evidence::NameOf(finding.outcome))
        .Text(finding.expected)
        .Text(finding.actual)
        .EndArray();
  out.EndArray();
}

Json ShownProof(const Json& stored) {
  codec::JsonArray out;
  const codec::JsonArray* rows = stored.if_array();
  for (const Json& item : rows != nullptr ? *rows : codec::JsonArray()) {
    const codec::JsonArray* row = item.if_array();
    if (row == nullptr || row->empty() || row->front().if_string() == nullptr) continue;
    const auto known = AllRows().find(*row->front().if_string());
    const bool found = known != AllRows().end();
    out.push_back(
        Json::Object({{"id", row->front()},
                      {"reason", found ? Json(NameOf(known->second.reason)) : Json("")},
                      {"outcome", Cell(*row, 1)},
                      {"expected", Cell(*row, 2)},
                      {"actual", Cell(*row, 3)},
                      {"source", found ? Json(std::string_view(known->second.source)) : Json("")}}));
  }
  return out;
}

}  // namespace portcullis::release

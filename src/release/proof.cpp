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

/// The beginning of a text that is too long, not cut within a character.
std::string Cut(std::string_view text) {
  std::size_t end = kMaxStoredText;
  const auto within = [&] { return (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80; };
  for (int i = 0; i < 3 && within(); ++i) --end;
  return std::string(text.substr(0, end)) + "\xE2\x80\xA6";
}

void WriteText(const std::string& text, codec::JsonWriter& out) {
  if (text.size() <= kMaxStoredText)
    out.Text(text);
  else
    out.Text(Cut(text));
}

Json TakeCell(codec::JsonArray& row, std::size_t column) {
  return column < row.size() ? std::move(row[column]) : Json("");
}

}  // namespace

evidence::Finding RequestRow::Find(bool passed, std::string expected, std::string actual) const {
  const auto outcome = passed ? evidence::Outcome::kPassed : evidence::Outcome::kFailed;
  return {id, reason, outcome, std::move(expected), std::move(actual), source};
}

void WriteProof(const evidence::ProofTree& tree, codec::JsonWriter& out) {
  out.BeginArray();
  for (const evidence::Finding& finding : tree.findings) {
    out.BeginArray().Text(finding.check_id).Text(evidence::NameOf(finding.outcome));
    WriteText(finding.expected, out);
    WriteText(finding.actual, out);
    out.EndArray();
  }
  out.EndArray();
}

Json ShownProof(Json stored) {
  codec::JsonArray out;
  codec::JsonArray* rows = stored.if_array();
  if (rows == nullptr) return out;
  out.reserve(rows->size());
  for (Json& item : *rows) {
    codec::JsonArray* row = item.if_array();
    if (row == nullptr || row->empty() || row->front().if_string() == nullptr) continue;
    const auto known = AllRows().find(*row->front().if_string());
    const bool found = known != AllRows().end();
    out.push_back(
        Json::Object({{"id", TakeCell(*row, 0)},
                      {"reason", found ? Json(NameOf(known->second.reason)) : Json("")},
                      {"outcome", TakeCell(*row, 1)},
                      {"expected", TakeCell(*row, 2)},
                      {"actual", TakeCell(*row, 3)},
                      {"source", found ? Json(std::string_view(known->second.source)) : Json("")}}));
  }
  return out;
}

}  // namespace portcullis::release

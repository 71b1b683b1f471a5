#include <CLI/CLI.hpp>
#include <algorithm>
#include <ostream>

#include "cli/collateral.h"

namespace portcullis::cli {
namespace {

using endorsement::Facts;

struct StatusOptions {
  std::string directory, format;
  int days = 7;
};

/// One document of the store as of now.
struct Line {
  std::string document, kind;
  Facts facts;
  std::int64_t age_days, days_left;
  std::string state;  // "current", "ends-soon", "stale"
};

std::int64_t DaysIn(std::chrono::milliseconds time) {
  return std::chrono::floor<std::chrono::hours>(time).count() / 24;
}

Line LineOf(const endorsement::Store::Listed& listed, WallTime now, int soon_days) {
  const Facts& facts = listed.facts;
  const bool current = facts.issued <= now && now <= facts.expires;
  const bool soon = facts.expires - now < std::chrono::hours(24) * soon_days;
  return {endorsement::PathOf(listed.document.id),
          std::string(endorsement::KindOf(listed.document.id)),
          facts,
          DaysIn(now - facts.issued),
          now <= facts.expires ? DaysIn(facts.expires - now) : -1 - DaysIn(now - facts.expires),
          !current ? "stale" : (soon ? "ends-soon" : "current")};
}

void PrintText(const std::vector<Line>& lines, std::size_t vceks, const Context& context) {
  std::vector<std::vector<std::string>> rows = {
      {"DOCUMENT", "STATE", "DAYS LEFT", "AGE", "ISSUED", "EXPIRES", "EVALUATION", "ENTRIES"}};
  for (const Line& line : lines)
    rows.push_back({line.document, line.state, std::to_string(line.days_left), std::to_string(line.age_days),
                    FormatTimestamp(line.facts.issued), FormatTimestamp(line.facts.expires),
                    line.facts.evaluation_number ? std::to_string(*line.facts.evaluation_number) : "",
                    line.facts.listed ? std::to_string(*line.facts.listed) : ""});
  context.out() << Table(rows) << vceks << " VCEKs\n";
}

void PrintJson(const std::vector<Line>& lines, std::size_t vceks, const Context& context) {
  codec::JsonArray documents;
  for (const Line& line : lines) {
    codec::Json json = codec::Json::Object({{"document", line.document},
                                            {"kind", line.kind},
                                            {"state", line.state},
                                            {"daysLeft", line.days_left},
                                            {"ageDays", line.age_days},
                                            {"issued", FormatTimestamp(line.facts.issued)},
                                            {"expires", FormatTimestamp(line.facts.expires)}});
    if (line.facts.evaluation_number) json.Set("evaluationNumber", *line.facts.evaluation_number);
    if (line.facts.listed) json.Set("entries", *line.facts.listed);
    documents.push_back(std::move(json));
  }
  context.PrintJson(codec::Json::Object({{"documents", std::move(documents)}, {"vceks", vceks}}));
}

Result<Exit> Status(const StatusOptions& options, const Context& context) {
  const auto store = TRY(OpenStore(options.directory, context));
  const WallTime now = context.ports().clock.Now();
  std::vector<Line> lines;
  for (const auto& listed : store->List()) lines.push_back(LineOf(*listed, now, options.days));
  // Certificates are good for years; only those that are not are worth a line each.
  std::size_t vceks = 0;
  for (const endorsement::VcekId& id : store->Vceks()) {
    const auto listed = store->GetVcek(id);
    if (listed == nullptr) continue;
    ++vceks;
    if (Line line = LineOf(*listed, now, options.days); line.state != "current")
      lines.push_back(std::move(line));
  }
  if (options.format == "json")
    PrintJson(lines, vceks, context);
  else
    PrintText(lines, vceks, context);
  const bool stale = std::ranges::any_of(lines, [](const Line& line) { return line.state == "stale"; });
  return stale ? Exit::kDenied : Exit::kDone;
}

}  // namespace

void AddCollateralStatus(CLI::App& collateral, Context& context) {
  const auto options = std::make_shared<StatusOptions>();
  CLI::App* const command =
      collateral.add_subcommand("status", "Show windows, ages and evaluation numbers of a store");
  command->add_option("--directory", options->directory, "The store, or a folder of PCS files")
      ->required()
      ->type_name("DIR");
  command->add_option("--soon", options->days, "Days before its end from which a document ends soon")
      ->check(CLI::Range(0, 365))
      ->capture_default_str();
  AddOutputOption(*command, options->format, {"text", "json"});
  command->footer(R"(Exits 3 where a document is stale: an appraisal that needs it is denied.

Examples:
  portcullis collateral status --directory /var/lib/portcullis/collateral
  portcullis collateral status --directory /var/lib/portcullis/collateral -o json)");
  command->callback([options, &context] { context.Finish(Status(*options, context), options->format); });
}

}  // namespace portcullis::cli

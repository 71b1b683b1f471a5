#include "cli/collateral.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <ostream>

#include "cli/commands.h"
#include "endorsement/contents.h"

namespace portcullis::cli {
namespace {

using endorsement::Document;
using endorsement::Store;

struct ImportOptions {
  std::string from, directory, set, format;
};
struct ExportOptions {
  std::string directory, to, format;
};

tdx::EvaluationSet SetOf(const std::string& name) {
  return name == NameOf(tdx::EvaluationSet::kEarly) ? tdx::EvaluationSet::kEarly
                                                    : tdx::EvaluationSet::kStandard;
}

/// Of each document the newest: folders of several issue days are common, and what is older would only be
/// refused.
std::vector<const endorsement::Piece*> NewestOf(const endorsement::Contents& contents) {
  std::map<std::string, const endorsement::Piece*> newest;
  for (const endorsement::Piece& piece : contents.pieces) {
    const auto [at, added] = newest.try_emplace(endorsement::PathOf(piece.claimed.id), &piece);
    if (!added && at->second->claimed.facts.issued < piece.claimed.facts.issued) at->second = &piece;
  }
  std::vector<const endorsement::Piece*> out;
  for (const auto& [path, piece] : newest) out.push_back(piece);
  return out;
}

Result<Exit> Import(const ImportOptions& options, const Context& context) {
  const CliPorts& ports = context.ports();
  const endorsement::Contents contents =
      TRY_AT(Quoted(options.from), endorsement::ReadContents(options.from, SetOf(options.set)));
  const auto store = TRY(OpenStore(options.directory, context));
  std::vector<CollateralOutcome> outcomes;
  for (const endorsement::Piece* piece : NewestOf(contents)) {
    const auto verified = endorsement::Verify(piece->claimed, contents.chains,
                                              {ports.anchors, ports.tdx_anchors}, ports.clock.Now());
    outcomes.push_back(verified ? Installing(*store, verified->document)
                                : CollateralOutcome{piece->file, "refused", verified.error().ToString(),
                                                    piece->claimed.facts});
  }
  for (const std::string& file : contents.skipped)
    outcomes.push_back({Printable(file), "skipped", "not collateral that is kept here", std::nullopt});
  return PrintOutcomes(outcomes, "imported", options.format, context);
}

Result<Exit> Export(const ExportOptions& options, const Context& context) {
  const auto store = TRY(OpenStore(options.directory, context));
  const auto target = TRY(OpenStore(options.to, context));
  std::vector<CollateralOutcome> outcomes;
  for (const auto& listed : store->List()) outcomes.push_back(Installing(*target, listed->document));
  for (const endorsement::VcekId& id : store->Vceks())
    if (const auto listed = store->GetVcek(id)) outcomes.push_back(Installing(*target, listed->document));
  return PrintOutcomes(outcomes, "exported", options.format, context);
}

void AddImport(CLI::App& collateral, Context& context) {
  const auto options = std::make_shared<ImportOptions>();
  CLI::App* const command =
      collateral.add_subcommand("import", "Take documents from a folder into a store, each past the gate");
  command
      ->add_option("--from", options->from,
                   "What `collateral export` made, or files as PCS and KDS serve them")
      ->required()
      ->type_name("DIR");
  command->add_option("--directory", options->directory, "The store")->required()->type_name("DIR");
  command->add_option("--set", options->set, "Evaluation set of Intel files that lie in no folder of a set")
      ->check(CLI::IsMember({"standard", "early"}))
      ->default_val("standard");
  AddOutputOption(*command, options->format, {"text", "json"});
  command->footer(
      R"(Files are known by what they hold: VCEKs and revocation lists (DER or PEM), TCB info and QE identity
(JSON bodies), issuer chains (PEM). Exits 3 where one was refused.

Examples:
  portcullis collateral import --from /media/bundle --directory /var/lib/portcullis/collateral)");
  command->callback([options, &context] { context.Finish(Import(*options, context), options->format); });
}

void AddExport(CLI::App& collateral, Context& context) {
  const auto options = std::make_shared<ExportOptions>();
  CLI::App* const command = collateral.add_subcommand(
      "export", "Write what is current in a store into a folder to carry elsewhere");
  command->add_option("--directory", options->directory, "The store")->required()->type_name("DIR");
  command->add_option("--to", options->to, "The folder, in the store's layout")->required()->type_name("DIR");
  AddOutputOption(*command, options->format, {"text", "json"});
  command->footer(R"(Exits 3 where a document has ended and was left out.

Examples:
  portcullis collateral export --directory /var/lib/portcullis/collateral --to /media/bundle)");
  command->callback([options, &context] { context.Finish(Export(*options, context), options->format); });
}

codec::Json JsonOf(const CollateralOutcome& row) {
  codec::Json json = codec::Json::Object({{"document", row.document}, {"outcome", row.outcome}});
  if (!row.detail.empty()) json.Set("detail", row.detail);
  if (!row.facts) return json;
  json.Set("issued", FormatTimestamp(row.facts->issued));
  json.Set("expires", FormatTimestamp(row.facts->expires));
  if (row.facts->evaluation_number) json.Set("evaluationNumber", *row.facts->evaluation_number);
  return json;
}

std::vector<std::string> CellsOf(const CollateralOutcome& row) {
  const auto& facts = row.facts;
  return {Printable(row.document),
          row.outcome,
          facts ? FormatTimestamp(facts->issued) : "",
          facts ? FormatTimestamp(facts->expires) : "",
          facts && facts->evaluation_number ? std::to_string(*facts->evaluation_number) : "",
          Printable(row.detail)};
}

}  // namespace

Result<std::unique_ptr<Store>> OpenStore(const std::string& directory, const Context& context) {
  const CliPorts& ports = context.ports();
  return Store::Open(directory, {ports.anchors, ports.tdx_anchors}, ports.clock);
}

CollateralOutcome Installing(Store& store, const Document& document) {
  const std::string path = endorsement::PathOf(document.id);
  const auto installed = store.Install(document);
  const auto* vcek = std::get_if<endorsement::VcekId>(&document.id);
  const auto kept = vcek != nullptr ? store.GetVcek(*vcek) : store.Get(document.id);
  const auto facts = kept != nullptr ? std::optional(kept->facts) : std::nullopt;
  if (!installed) return {path, "refused", installed.error().ToString(), facts};
  return {path, *installed == Store::Installed::kNew ? "installed" : "unchanged", "", facts};
}

Exit PrintOutcomes(const std::vector<CollateralOutcome>& outcomes, std::string_view member,
                   std::string_view format, const Context& context) {
  if (format == "json") {
    codec::JsonArray rows;
    for (const CollateralOutcome& row : outcomes) rows.push_back(JsonOf(row));
    context.PrintJson(codec::Json::Object({{std::string(member), std::move(rows)}}));
  } else {
    std::vector<std::vector<std::string>> rows = {
        {"DOCUMENT", "OUTCOME", "ISSUED", "EXPIRES", "EVALUATION", "DETAIL"}};
    for (const CollateralOutcome& row : outcomes) rows.push_back(CellsOf(row));
    context.out() << Table(rows);
  }
  const auto has = [&](std::string_view outcome) {
    return std::ranges::any_of(outcomes, [&](const auto& row) { return row.outcome == outcome; });
  };
  if (has("refused")) return Exit::kDenied;
  return has("unreachable") || has("throttled") ? Exit::kUnreachable : Exit::kDone;
}

void AddCollateralCommands(CLI::App& program, Context& context) {
  CLI::App* const collateral = program.add_subcommand(
      "collateral", "Keep what AMD and Intel publish: certificates, TCB levels, revocation lists");
  collateral->require_subcommand(1);
  AddCollateralFetch(*collateral, context);
  AddCollateralStatus(*collateral, context);
  AddImport(*collateral, context);
  AddExport(*collateral, context);
}

}  // namespace portcullis::cli

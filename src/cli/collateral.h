#pragma once

#include <string>
#include <vector>

#include "cli/context.h"
#include "endorsement/store.h"

/// What the `collateral` commands share.
namespace portcullis::cli {

/// What became of one document: a row of the table.
struct CollateralOutcome {
  std::string document;  // path in the store's layout, or a file of the user's
  std::string outcome;   // "installed", "unchanged", "refused", ...
  std::string detail;    // why, where it was refused
  std::optional<endorsement::Facts> facts;
};

/// A document that the gate looked at and the store took, or not.
CollateralOutcome Installing(endorsement::Store& store, const endorsement::Document& document);

/// Prints the rows as `format` ("text" or "json", under `member`) and gives the exit code: refused is denied.
Exit PrintOutcomes(const std::vector<CollateralOutcome>& outcomes, std::string_view member,
                   std::string_view format, const Context& context);

/// A store of the user's folder under the roots of this program.
Result<std::unique_ptr<endorsement::Store>> OpenStore(const std::string& directory, const Context& context);

void AddCollateralFetch(CLI::App& collateral, Context& context);
void AddCollateralStatus(CLI::App& collateral, Context& context);

}  // namespace portcullis::cli

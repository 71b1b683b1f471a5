#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "endorsement/files.h"
#include "endorsement/gate.h"
#include "endorsement/recognise.h"

namespace portcullis::endorsement {

/// A document as it lies in a folder, not verified.
struct Piece {
  Claimed claimed;
  std::string file;            // relative
  bool names_its_set = false;  // lies below "standard" or "early"
};

/// What a folder holds of collateral, in any layout: the store's own, or files as PCS serves them.
struct Contents {
  std::vector<Piece> pieces;
  std::vector<std::string> chains;   // PEM
  std::vector<std::string> skipped;  // files that hold nothing of the kind
};

/// Reads the files that `wanted` says yes to (all, where it is empty). `set` is for files that lie in no
/// folder of a set. Error: ConfigurationInvalid.
Result<Contents> ReadContents(const std::string& directory, tdx::EvaluationSet set,
                              const std::function<bool(const FoundFile&)>& wanted = {});

/// The piece with the chain under which it verifies at `now`, and with its facts. Error: that of the last
/// chain tried.
struct Verified {
  Document document;
  Facts facts;
};
Result<Verified> Verify(const Claimed& piece, const std::vector<std::string>& chains, const Anchors& anchors,
                        WallTime now);

}  // namespace portcullis::endorsement

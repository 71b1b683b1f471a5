#pragma once

#include <string>
#include <vector>

#include "codec/json.h"
#include "evidence/check.h"

namespace portcullis::evidence {

/// What verifying one piece of evidence found. Claims are what the evidence says, for display and audit:
/// never raw evidence.
struct Verification {
  ProofTree tree;
  codec::Json claims;  // {} where the evidence did not parse
  std::vector<std::string> not_proven;
};

}  // namespace portcullis::evidence

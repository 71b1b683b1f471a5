#pragma once

#include <string>
#include <vector>

#include "cli/context.h"
#include "evidence/check.h"

namespace portcullis::cli {

/// An appraisal as `verify` shows it.
struct Verdict {
  evidence::ProofTree tree;
  codec::Json claims;
  std::vector<std::string> not_proven;
};

/// Prints it as `format` ("text" or "json") and gives its exit code: malformed evidence is malformed input.
Exit PrintVerdict(const Verdict& verdict, std::string_view format, const Context& context);

}  // namespace portcullis::cli

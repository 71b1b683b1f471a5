#pragma once

#include "base/reason.h"

namespace portcullis::cli {

/// docs/reference/cli.md, "Exit codes"; scripts rely on them.
enum class Exit : int {
  kDone = 0,
  kOurFault = 1,
  kUsage = 2,
  kDenied = 3,
  kMalformedInput = 4,
  kUnreachable = 5,
};

/// The exit code of a command that an error with this code has ended.
Exit ExitFor(ReasonCode code);

}  // namespace portcullis::cli

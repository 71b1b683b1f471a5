#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "evidence/tdx/reference_values.h"

namespace portcullis::tdx {

/// What Intel says of one level: of the platform, of the module or of the QE.
struct LevelStatus {
  std::string name;                 // tcbStatus as it stands there
  std::optional<TcbStatus> status;  // nullopt where the name is none that we know
  WallTime date;                    // tcbDate
  std::vector<std::string> advisories;
};

/// A part of the platform (module, QE) drags the whole down with it (tdx.md section 6 e, g).
TcbStatus Converge(TcbStatus whole, TcbStatus part);

bool IsOutOfDate(TcbStatus status);         // with or without configuration needed
bool NeedsConfiguration(TcbStatus status);  // with or without hardening needed
/// UpToDate but for what BIOS settings or guest software must do.
bool IsCurrent(TcbStatus status);

}  // namespace portcullis::tdx

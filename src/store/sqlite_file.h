#pragma once

#include <string>

#include "base/result.h"

namespace portcullis::store {

/// Makes sure that a database file is there, ours alone (mode 0600) and no link; a new one is empty and its
/// name durable. The directory must exist. Error: ConfigurationInvalid.
Result<> PrepareDatabaseFile(const std::string& path);

}  // namespace portcullis::store

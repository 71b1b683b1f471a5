#pragma once

#include <string>
#include <vector>

#include "codec/json.h"
#include "evidence/snp/chain.h"

namespace portcullis::snp {

/// What a report says, for display and audit: its fields, not its bytes.
codec::Json ClaimsOf(const Report& report);
/// The same with what its certificate says, for a report that was authenticated.
codec::Json ClaimsOf(const AuthenticReport& report);
/// What an allowed verdict on this report still leaves open.
std::vector<std::string> NotProvenBy(const AuthenticReport& report);

}  // namespace portcullis::snp

#pragma once

#include <string>
#include <vector>

#include "codec/json.h"
#include "evidence/tdx/chain.h"

namespace portcullis::tdx {

/// What a quote says, for display and audit: its fields, not its bytes.
codec::Json ClaimsOf(const Quote& quote);
/// And what collateral and certificate say of it.
codec::Json ClaimsOf(const AuthenticQuote& quote);

/// What the evidence, though accepted, does not prove: people read this beside the verdict.
std::vector<std::string> NotProvenBy(const AuthenticQuote& quote, bool with_event_log);

}  // namespace portcullis::tdx

#pragma once

#include "codec/json.h"

namespace portcullis::codec {

/// Holds a text to the grammar of RFC 8259 and to `limits`, before any library builds values from it.
/// Allocates nothing; nests as deep as limits.max_depth. Assumes valid UTF-8. RequestMalformed, with the
/// offset, otherwise.
Result<> ScanJson(std::string_view text, const JsonLimits& limits);

}  // namespace portcullis::codec

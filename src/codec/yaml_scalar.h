#pragma once

#include <string_view>

#include "codec/json.h"

namespace portcullis::codec {

/// What a plain (unquoted) scalar means in the YAML 1.2 core schema. ConfigurationInvalid for what two
/// readers would understand differently or JSON can't hold: integers with a leading zero (octal for YAML 1.1)
/// or beyond 64 bits, infinities and NaN.
Result<Json> ResolvePlainScalar(std::string_view text);

/// Whether a text may stand plain in YAML and every reader, also one of YAML 1.1, takes it for that text.
bool IsSafePlainScalar(std::string_view text);

}  // namespace portcullis::codec

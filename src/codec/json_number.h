#pragma once

#include <string>

#include "codec/json.h"

namespace portcullis::codec {

/// A number as ECMAScript writes it (RFC 8785 section 3.2.2.3): the shortest digits that read back the same.
/// Integers are written whole, also beyond 2^53 where ECMAScript would round: two integers never share one
/// text. What is no number in JSON (infinities, NaN, or no number at all) is "null", as JSON.stringify has
/// it.
std::string NumberText(const Json& number);

}  // namespace portcullis::codec

#pragma once

#include <string_view>

#include "base/result.h"

namespace portcullis::codec {

/// Holds TOML to the shape that init-data has, before a library builds it: every value is text, and keys are
/// no deeper than table and entry. The library builds one nested table for each part of a dotted key and
/// takes them apart recursively, so a long key would exhaust the stack. Whether it is TOML otherwise is left
/// to the library.
Result<> CheckInitDataShape(std::string_view toml);

}  // namespace portcullis::codec

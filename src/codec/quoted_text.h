#pragma once

#include <string>
#include <string_view>

namespace portcullis::codec {

/// Text in double quotes that JSON, YAML and TOML read alike. Beyond what JSON has escaped: DEL, which TOML
/// refuses, and the line breaks, control characters and byte order mark that readers of YAML disagree about.
std::string QuotedText(std::string_view text);

}  // namespace portcullis::codec

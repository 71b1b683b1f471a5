#include <cstdlib>

#include "codec/json.h"

using namespace portcullis;

/// Whatever is read is written as texts that read back as the same value.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto value = codec::ParseJson(AsText(std::as_bytes(std::span(data, size))));
  if (!value) return 0;
  for (const auto& text :
       {codec::ToText(*value), codec::ToPrettyText(*value), codec::ToCanonicalText(*value)}) {
    const auto again = codec::ParseJson(text);
    if (!again || !(*again == *value)) std::abort();
  }
  if (codec::ToCanonicalText(*codec::ParseJson(codec::ToText(*value))) != codec::ToCanonicalText(*value))
    std::abort();
  const std::string yaml_text = codec::ToYaml(*value);
  if (yaml_text.size() > (1u << 20)) return 0;  // more than the reader takes
  const auto yaml = codec::ParseYaml(yaml_text);
  if (!yaml || !(*yaml == *value)) std::abort();
  return 0;
}

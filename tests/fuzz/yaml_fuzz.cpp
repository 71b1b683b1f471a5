#include <cstdlib>

#include "codec/json.h"

/// A document that is read can be written as YAML that reads back as the same value.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace portcullis;  // NOLINT: the entry point stands in no namespace
  const auto value = codec::ParseYaml(AsText(std::as_bytes(std::span(data, size))));
  if (!value) return 0;
  const auto again = codec::ParseYaml(codec::ToYaml(*value));
  if (!again || !(*again == *value)) std::abort();
  return 0;
}

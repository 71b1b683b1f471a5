#include <cstdint>

#include "measure/id_block.h"

// Reads an ID block and an ID authentication structure.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  (void)portcullis::measure::ParseIdBlock(bytes);
  (void)portcullis::measure::ParseIdAuth(bytes);
  return 0;
}

#include <cstdint>

#include "evidence/tdx/pck_extension.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)portcullis::tdx::ParseSgxExtension(std::as_bytes(std::span(data, size)));
  return 0;
}

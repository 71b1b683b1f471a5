#include <cstdint>

#include "evidence/tdx/collateral_parts.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)portcullis::tdx::ExamineQeIdentityText(portcullis::AsText(std::as_bytes(std::span(data, size))), {});
  return 0;
}

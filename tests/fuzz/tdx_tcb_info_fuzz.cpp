#include <cstdint>

#include "evidence/tdx/collateral_parts.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  portcullis::tdx::TcbInfoTarget target;
  (void)portcullis::tdx::ExamineTcbInfoText(portcullis::AsText(std::as_bytes(std::span(data, size))), {},
                                            target);
  return 0;
}

#include <cstdint>

#include "evidence/tdx/quote.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto quote = portcullis::tdx::ParseQuote(std::as_bytes(std::span(data, size)));
  if (quote) (void)portcullis::tdx::PlatformOf(*quote);
  return 0;
}

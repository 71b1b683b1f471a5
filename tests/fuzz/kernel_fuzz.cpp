#include <cstdint>

#include "measure/linux_header.h"
#include "measure/pe_image.h"

// Reads a kernel as a PE image and as one of the Linux boot protocol; a loader changes nothing of its size.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto kernel = std::as_bytes(std::span(data, size));
  (void)portcullis::measure::AuthenticodeDigest(kernel);
  const auto loaded = portcullis::measure::KernelAsLoaded(kernel, 4096, std::uint64_t{1} << 31);
  if (loaded && loaded->size() != size) __builtin_trap();
  return 0;
}

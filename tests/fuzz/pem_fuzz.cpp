#include <cstdlib>

#include "codec/text.h"

using namespace portcullis;

/// Whatever is read is written as blocks that read back the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto blocks = codec::ParsePem(AsText(std::as_bytes(std::span(data, size))));
  if (!blocks) return 0;
  for (const codec::PemBlock& block : *blocks) {
    const auto again = codec::ParsePem(codec::EncodePem(block.label, block.der), 1);
    if (!again || again->front().label != block.label || again->front().der != block.der) std::abort();
  }
  return 0;
}

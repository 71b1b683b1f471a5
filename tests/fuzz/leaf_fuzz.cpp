#include <cstdlib>

#include "evidence/snp/chain.h"

/// What a leaf says is read from whatever is taken for a certificate; the memory of parsed leaves keeps its
/// bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace portcullis;  // NOLINT: the entry point stands in no namespace
  const Bytes bytes = std::as_bytes(std::span(data, size));
  const auto leaf = snp::ParseLeaf(bytes);
  if (!leaf) return 0;
  if (!SameBytes(leaf->der(), bytes)) std::abort();
  const auto extensions = snp::ParseLeafExtensions(*leaf);
  if (extensions && extensions->hwid && extensions->hwid->size() > 64) std::abort();
  return 0;
}

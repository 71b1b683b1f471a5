#include <cstdlib>

#include "audit/row.h"

/// A row that is read is written in one way only: the same text comes out of its parts.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace portcullis;
  const std::string_view text(static_cast<const char*>(static_cast<const void*>(data)), size);
  const auto parsed = audit::ParseRow(text);
  if (parsed && (parsed->row.canonical != text || parsed->row.sequence < 1)) std::abort();
  return 0;
}

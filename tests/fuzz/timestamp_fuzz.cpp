#include <cstdlib>

#include "base/bytes.h"
#include "base/clock.h"

/// A time that is read is written as one that reads back to the same second.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace portcullis;  // NOLINT: the entry point stands in no namespace
  const auto time = ParseTimestamp(AsText(std::as_bytes(std::span(data, size))));
  if (!time) return 0;
  const auto again = ParseTimestamp(FormatTimestamp(*time));
  if (!again || *again != std::chrono::floor<std::chrono::seconds>(*time)) std::abort();
  if (ParseTimestamp(FormatTimestampMicro(*time)).value() != *time) std::abort();
  return 0;
}

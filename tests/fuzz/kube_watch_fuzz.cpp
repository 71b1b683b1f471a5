#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "kube/watch_line.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto event =
      portcullis::kube::ParseWatchLine(portcullis::AsText(std::as_bytes(std::span(data, size))));
  // What is taken for an event is one: it has a place to resume from and an object.
  if (event && (event->resource_version.empty() || !event->object.is_object())) std::abort();
  return 0;
}

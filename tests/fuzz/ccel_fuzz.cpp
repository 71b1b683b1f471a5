#include <cstdint>

#include "evidence/tdx/event_log.h"

// Parses an event log, replays it and recomputes the digest of every event.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto log = portcullis::tdx::ParseEventLog(std::as_bytes(std::span(data, size)));
  if (!log) return 0;
  if (log->events.size() > log->records) __builtin_trap();
  (void)log->Replay();
  for (const auto& event : log->events) (void)portcullis::tdx::DataIsBound(event);
  return 0;
}

#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "evidence/tdx/reference_values.h"

namespace portcullis::lab {

/// One extend of an RTMR by firmware, loader or guest.
struct LabEvent {
  std::uint32_t rtmr;  // 0..3
  std::uint32_t type;  // TCG event type
  ByteBuffer data;
  std::optional<tdx::Measurement> digest = {};  // SHA-384 of the data where it is not said

  tdx::Measurement DigestOf() const;
};
LabEvent TextEvent(std::uint32_t rtmr, std::uint32_t type, std::string_view text);

/// A log as the CCEL table's area holds it: the Spec ID record, the events in their order, FF to the end of
/// an area of `size` bytes, or of 8 bytes where the log is longer.
ByteBuffer WriteEventLog(const std::vector<LabEvent>& events, std::size_t size = 0);

/// The registers after these events: R = SHA384(R || digest), from zeros.
std::array<tdx::Measurement, 4> RtmrsOf(const std::vector<LabEvent>& events);

/// A boot from firmware to kernel, in RTMR0 to RTMR2. Each event's digest is bound to its data.
std::vector<LabEvent> TypicalEvents();

}  // namespace portcullis::lab

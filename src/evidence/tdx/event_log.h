#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "evidence/tdx/reference_values.h"

namespace portcullis::tdx {

// A firmware's log area is 64 KiB; a full dbx, shim's lists and GRUB's commands make the longest logs known
// 22 KiB and 87 events.
inline constexpr std::size_t kMaxEventLogBytes = 1u << 20;
inline constexpr std::size_t kMaxEvents = 4096;
inline constexpr std::size_t kMaxEventDataBytes = 256u << 10;
inline constexpr std::size_t kMaxEventDigests = 8;

/// TCG event types with a rule of their own (TCG PC Client Platform Firmware Profile 1.06, section 10.4).
enum EventType : std::uint32_t {
  kEvNoAction = 0x00000003,
  kEvSeparator = 0x00000004,
  kEvEventTag = 0x00000006,
  kEvIpl = 0x0000000D,
  kEvEfiVariableDriverConfig = 0x80000001,
  kEvEfiVariableBoot = 0x80000002,
  kEvEfiGptEvent = 0x80000006,
  kEvEfiAction = 0x80000007,
  kEvEfiVariableAuthority = 0x800000E0,
};

/// One extend of an RTMR, as the log tells it.
struct Event {
  std::uint32_t rtmr;  // 0..3
  std::uint32_t type;  // TCG event type
  Measurement digest;  // of the SHA-384 bank: what was extended
  Bytes data;          // a view of the log. Not what was measured, unless BoundData() says so
};

/// The events of a CCEL log that extend an RTMR, in their order. Claims of the guest: they prove nothing
/// until Replay() equals the signed RTMRs.
struct EventLog {
  std::vector<Event> events;
  std::size_t records;  // all that the log holds, those that extend nothing too

  /// RTMR0..3 after these events: R = SHA384(R || digest), from zeros.
  std::array<Measurement, 4> Replay() const;
};

/// Parses a log as the CCEL table's area holds it: the Spec ID record, then TCG_PCR_EVENT2 records to the end
/// of the bytes or to a filler of FF or 00 that reaches it. `ccel` must outlive the EventLog.
/// Errors: EvidenceMalformed (empty; no Spec ID record or none with SHA-384; a digest of an algorithm that it
/// does not name; an extend outside RTMR0..3; any limit; bytes that end early).
Result<EventLog> ParseEventLog(Bytes ccel);

/// The part of the data that the digest covers, found by recomputing the digest by the rule of the event's
/// type: all of it, the value of a boot variable, the text behind GRUB's prefix. nullopt where the type has
/// no such rule (the digest is of an image, a table, a file) or the digest differs: then only the digest may
/// be compared.
std::optional<Bytes> BoundData(const Event& event);
/// Whether there is such a part.
bool DataIsBound(const Event& event);

}  // namespace portcullis::tdx

#include "evidence/tdx/event_log.h"

#include <optional>

#include "crypto/digest.h"

namespace portcullis::tdx {
namespace {

constexpr std::uint16_t kSha384 = 0x000C;
constexpr std::string_view kSpecIdSignature{"Spec ID Event03\0", 16};
constexpr std::size_t kMaxSpecIdBytes = 512;  // 24 bytes, 8 algorithms, at most 255 bytes of the vendor's
constexpr std::uint32_t kNoRegister = 0xFFFFFFFF;
constexpr std::size_t kFillerBytes = 8;

/// Digest sizes by algorithm (TCG Algorithm Registry); nullopt for one that is not a hash we know.
std::optional<std::size_t> SizeOf(std::uint16_t algorithm) {
  switch (algorithm) {
    case 0x0004:
      return 20;  // SHA-1
    case 0x000B:
      return 32;  // SHA-256
    case kSha384:
      return 48;
    case 0x000D:
      return 64;  // SHA-512
    case 0x0012:
      return 32;  // SM3-256
    case 0x0027:
      return 32;  // SHA3-256
    case 0x0028:
      return 48;  // SHA3-384
    case 0x0029:
      return 64;  // SHA3-512
    default:
      return std::nullopt;
  }
}

/// The digest algorithms of a log, each once.
class Algorithms {
 public:
  bool Contains(std::uint16_t algorithm) const {
    return std::ranges::count(std::span(list_).first(count_), algorithm) != 0;
  }
  Result<> Add(std::uint16_t algorithm) {
    if (count_ == list_.size() || Contains(algorithm))
      return Error{ReasonCode::kEvidenceMalformed, "digest algorithms are repeated or too many"};
    list_[count_++] = algorithm;
    return Done{};
  }

 private:
  std::array<std::uint16_t, kMaxEventDigests> list_{};
  std::size_t count_ = 0;
};

Result<std::uint32_t> TakeCount(ByteReader& in) {
  const auto count = TRY(in.TakeLittle<std::uint32_t>());
  if (count == 0 || count > kMaxEventDigests)
    return Error{ReasonCode::kEvidenceMalformed, "number of digests outside 1..8"};
  return count;
}

/// TCG_EfiSpecIdEvent: which digests every later record has.
Result<Algorithms> ParseSpecId(Bytes data) {
  ByteReader in(data);
  if (AsText(TRY(in.Take(kSpecIdSignature.size()))) != kSpecIdSignature)
    return Error{ReasonCode::kEvidenceMalformed, "log does not start with a Spec ID record"};
  TRY(in.Take(4 + 4));  // platform class; minor, major version, errata, size of UINTN
  Algorithms algorithms;
  for (auto left = TRY(TakeCount(in)); left > 0; --left) {
    const auto algorithm = TRY(in.TakeLittle<std::uint16_t>());
    const auto size = TRY(in.TakeLittle<std::uint16_t>());
    if (SizeOf(algorithm) != size)
      return Error{ReasonCode::kEvidenceMalformed, "Spec ID record has an unknown digest algorithm or size"};
    TRY(algorithms.Add(algorithm));
  }
  if (!algorithms.Contains(kSha384))
    return Error{ReasonCode::kEvidenceMalformed, "log has no SHA-384 digests"};
  TRY(in.TakeSized<std::uint8_t>(0xFF));  // the vendor's own
  TRY(in.Finish());
  return algorithms;
}

/// The first record, in the older form TCG_PCClientPCREvent. Its register is 0 or 1, depending on the
/// firmware.
Result<Algorithms> TakeSpecId(ByteReader& in) {
  TRY(in.TakeLittle<std::uint32_t>());
  if (TRY(in.TakeLittle<std::uint32_t>()) != kEvNoAction)
    return Error{ReasonCode::kEvidenceMalformed, "log does not start with a Spec ID record"};
  TRY(in.Take(20));  // a SHA-1 digest that nothing was extended by
  const Bytes data = TRY(in.TakeSized<std::uint32_t>(kMaxSpecIdBytes));
  return ParseSpecId(data);
}

struct Record {
  std::uint32_t index;  // 1..4 for RTMR0..3
  std::uint32_t type;
  std::optional<Measurement> digest;
  Bytes data;
};

/// A TCG_PCR_EVENT2.
Result<Record> TakeRecord(ByteReader& in, const Algorithms& known) {
  const auto index = TRY(in.TakeLittle<std::uint32_t>());
  const auto type = TRY(in.TakeLittle<std::uint32_t>());
  Record record{index, type, std::nullopt, {}};
  Algorithms seen;
  for (auto left = TRY(TakeCount(in)); left > 0; --left) {
    const auto algorithm = TRY(in.TakeLittle<std::uint16_t>());
    if (!known.Contains(algorithm))
      return Error{ReasonCode::kEvidenceMalformed,
                   "event has a digest that the Spec ID record does not name"};
    TRY(seen.Add(algorithm));
    const Bytes digest = TRY(in.Take(*SizeOf(algorithm)));
    if (algorithm == kSha384) record.digest = TRY(Measurement::From(digest));
  }
  record.data = TRY(in.TakeSized<std::uint32_t>(kMaxEventDataBytes));
  return record;
}

/// Whether a record extends an RTMR; an error where it would extend something else.
Result<bool> Extends(const Record& record) {
  // Google's firmware logs what it extended nowhere under an index of all ones.
  if (record.type == kEvNoAction || record.index == kNoRegister) return false;
  if (record.index < 1 || record.index > 4)
    return Error{ReasonCode::kEvidenceMalformed, "event extends a register that is none of RTMR0..3"};
  if (!record.digest) return Error{ReasonCode::kEvidenceMalformed, "event has no SHA-384 digest"};
  return true;
}

/// Whether only filler is left. FF is what EDK II fills its area with, 00 what td-shim does. Neither can
/// start a record: index 0 extends nothing, and no type is all ones.
Result<bool> AtFiller(Bytes rest) {
  if (rest.size() < kFillerBytes) return false;
  const std::byte filler = rest.front();
  const auto is_filler = [filler](std::byte b) { return b == filler; };
  if (filler != std::byte{0xFF} && filler != std::byte{0}) return false;
  if (!std::ranges::all_of(rest.first(kFillerBytes), is_filler)) return false;
  if (!std::ranges::all_of(rest, is_filler))
    return Error{ReasonCode::kEvidenceMalformed, "bytes other than filler follow the end of the log"};
  return true;
}

}  // namespace

Result<EventLog> ParseEventLog(Bytes ccel) {
  if (ccel.empty()) return Error{ReasonCode::kEvidenceMalformed, "event log is empty"};
  if (ccel.size() > kMaxEventLogBytes)
    return Error{ReasonCode::kEvidenceMalformed, "event log is above its limit"};
  ByteReader in(ccel);
  const Algorithms algorithms = TRY(TakeSpecId(in));
  EventLog log{{}, 0};
  while (in.remaining() > 0 && !TRY(AtFiller(ccel.subspan(in.offset())))) {
    if (++log.records > kMaxEvents)
      return Error{ReasonCode::kEvidenceMalformed, "event log has too many events"};
    const Record record = TRY(TakeRecord(in, algorithms));
    if (TRY(Extends(record)))
      log.events.push_back({record.index - 1, record.type, *record.digest, record.data});
  }
  return log;
}

std::array<Measurement, 4> EventLog::Replay() const {
  std::array<Measurement, 4> registers{};
  for (const Event& event : events) {
    std::array<std::byte, 2 * Measurement::kSize> both;
    Measurement& extended = registers[event.rtmr];
    std::ranges::copy(extended.bytes(), both.begin());
    std::ranges::copy(event.digest.bytes(), both.begin() + Measurement::kSize);
    extended = Measurement(crypto::Sha384(both).array());
  }
  return registers;
}

}  // namespace portcullis::tdx

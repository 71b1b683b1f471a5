#include "tests/lab/event_log_writer.h"

#include "crypto/digest.h"
#include "tests/lab/little_endian.h"

namespace portcullis::lab {
namespace {

constexpr std::uint32_t kNoAction = 0x3, kSeparator = 0x4, kIpl = 0xD, kDriverConfig = 0x80000001,
                        kAction = 0x80000007;
constexpr std::uint16_t kSha384 = 0xC, kSha384Size = 48;
constexpr std::size_t kSha1Size = 20, kFiller = 8;

/// TCG_PCClientPCREvent with a TCG_EfiSpecIdEvent: what every log starts with.
void AppendSpecId(ByteBuffer& out) {
  ByteBuffer data = ToBuffer(AsBytes(std::string_view("Spec ID Event03\0", 16)));
  AppendLittle<std::uint32_t>(data, 0);                                               // platform class
  data.insert(data.end(), {std::byte{0}, std::byte{2}, std::byte{0}, std::byte{2}});  // 2.0, UINTN of 64 bits
  AppendLittle<std::uint32_t>(data, 1);
  AppendLittle(data, kSha384);
  AppendLittle(data, kSha384Size);
  data.push_back(std::byte{0});  // nothing of the vendor's

  AppendLittle<std::uint32_t>(out, 1);
  AppendLittle(out, kNoAction);
  out.resize(out.size() + kSha1Size);
  AppendLittle(out, static_cast<std::uint32_t>(data.size()));
  Append(out, data);
}

/// TCG_PCR_EVENT2.
void AppendEvent(ByteBuffer& out, const LabEvent& event) {
  AppendLittle(out, event.rtmr + 1);
  AppendLittle(out, event.type);
  AppendLittle<std::uint32_t>(out, 1);
  AppendLittle(out, kSha384);
  Append(out, event.DigestOf().bytes());
  AppendLittle(out, static_cast<std::uint32_t>(event.data.size()));
  Append(out, event.data);
}

}  // namespace

tdx::Measurement LabEvent::DigestOf() const {
  return digest ? *digest : tdx::Measurement(crypto::Sha384(data).array());
}

LabEvent TextEvent(std::uint32_t rtmr, std::uint32_t type, std::string_view text) {
  return {rtmr, type, ToBuffer(AsBytes(text))};
}

ByteBuffer WriteEventLog(const std::vector<LabEvent>& events, std::size_t size) {
  ByteBuffer out;
  AppendSpecId(out);
  for (const LabEvent& event : events) AppendEvent(out, event);
  out.resize(std::max(out.size() + kFiller, size), std::byte{0xFF});
  return out;
}

std::array<tdx::Measurement, 4> RtmrsOf(const std::vector<LabEvent>& events) {
  std::array<tdx::Measurement, 4> out{};
  for (const LabEvent& event : events) {
    ByteBuffer extended = ToBuffer(out.at(event.rtmr).bytes());
    Append(extended, event.DigestOf().bytes());
    out.at(event.rtmr) = tdx::Measurement(crypto::Sha384(extended).array());
  }
  return out;
}

std::vector<LabEvent> TypicalEvents() {
  using std::string_view_literals::operator""sv;
  return {
      TextEvent(0, kDriverConfig, "SecureBoot: 1"),
      TextEvent(0, kSeparator, "\0\0\0\0"sv),
      TextEvent(1, kAction, "Calling EFI Application from Boot Option"),
      TextEvent(1, kSeparator, "\0\0\0\0"sv),
      TextEvent(1, kAction, "Exit Boot Services Returned with Success"),
      {2, kIpl, ToBuffer(AsBytes("kernel_cmdline: /vmlinuz root=/dev/dm-0\0"sv)),
       tdx::Measurement(crypto::Sha384(AsBytes("/vmlinuz root=/dev/dm-0")).array())},
  };
}

}  // namespace portcullis::lab

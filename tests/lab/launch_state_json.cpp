#include <charconv>
#include <limits>

#include "codec/text.h"
#include "tests/lab/launch_state.h"

namespace portcullis::lab {
namespace {

using codec::Json;
using codec::ObjectReader;

Error Malformed(StaticText text) { return {ReasonCode::kRequestMalformed, text}; }

std::string MaskText(std::uint64_t value) {
  char digits[16];
  return "0x" + std::string(digits, std::to_chars(digits, digits + sizeof digits, value, 16).ptr);
}
Result<> ReadMask(ObjectReader& in, std::string_view name, std::uint64_t& into) {
  const auto text = TRY(in.OptionalText(name, 18));
  if (!text) return Done{};
  const char* end = text->data() + text->size();
  const auto read = text->starts_with("0x") ? std::from_chars(text->data() + 2, end, into, 16)
                                            : std::from_chars_result{nullptr, std::errc::invalid_argument};
  if (read.ec != std::errc() || read.ptr != end) return Malformed("a mask is 0x and hex digits").At(name);
  return Done{};
}

template <typename T>
Result<> ReadBytes(ObjectReader& in, std::string_view name, T& into) {
  const auto text = TRY(in.OptionalText(name, 2 * T::kSize));
  if (text) into = TRY_AT(name, codec::FixedFromHex<T>(*text));
  return Done{};
}

template <typename T>
Result<> ReadNumber(ObjectReader& in, std::string_view name, T& into) {
  const auto number = TRY(in.OptionalInteger(name, 0, std::numeric_limits<T>::max()));
  if (number) into = static_cast<T>(*number);
  return Done{};
}

Json TcbJson(const snp::Tcb& tcb) {
  return Json::Object({{"fmc", tcb.fmc},
                       {"bootloader", tcb.bootloader},
                       {"tee", tcb.tee},
                       {"snp", tcb.snp},
                       {"microcode", tcb.microcode}});
}
Result<> ReadTcb(ObjectReader& outer, std::string_view name, snp::Tcb& into) {
  const Json* value = outer.Optional(name);
  if (value == nullptr) return Done{};
  ObjectReader in = TRY_AT(name, ObjectReader::Open(*value));
  TRY_AT(name, ReadNumber(in, "fmc", into.fmc));
  TRY_AT(name, ReadNumber(in, "bootloader", into.bootloader));
  TRY_AT(name, ReadNumber(in, "tee", into.tee));
  TRY_AT(name, ReadNumber(in, "snp", into.snp));
  TRY_AT(name, ReadNumber(in, "microcode", into.microcode));
  return in.Finish();
}

Json FirmwareJson(const snp::FirmwareVersion& version) {
  return Json::Object({{"major", version.major}, {"minor", version.minor}, {"build", version.build}});
}
Result<> ReadFirmware(ObjectReader& outer, std::string_view name, snp::FirmwareVersion& into) {
  const Json* value = outer.Optional(name);
  if (value == nullptr) return Done{};
  ObjectReader in = TRY_AT(name, ObjectReader::Open(*value));
  TRY_AT(name, ReadNumber(in, "major", into.major));
  TRY_AT(name, ReadNumber(in, "minor", into.minor));
  TRY_AT(name, ReadNumber(in, "build", into.build));
  return in.Finish();
}

/// The processor named, with its product's defaults; a Milan where none is.
Result<LaunchState> StartingPoint(ObjectReader& outer) {
  const Json* value = outer.Optional("cpuid");
  if (value == nullptr) return LaunchState::Milan();
  ObjectReader in = TRY_AT("cpuid", ObjectReader::Open(*value));
  snp::CpuId cpuid{};
  cpuid.family = static_cast<std::uint8_t>(TRY_AT("cpuid", in.Integer("family", 0, 255)));
  cpuid.model = static_cast<std::uint8_t>(TRY_AT("cpuid", in.Integer("model", 0, 255)));
  cpuid.stepping = static_cast<std::uint8_t>(TRY_AT("cpuid", in.Integer("stepping", 0, 255)));
  TRY_AT("cpuid", in.Finish());
  LaunchState state;
  switch (TRY_AT("cpuid", snp::ProductOf(cpuid))) {
    case snp::Product::kMilan:
      break;
    case snp::Product::kGenoa:
      state = LaunchState::Genoa();
      break;
    case snp::Product::kTurin:
      state = LaunchState::Turin();
      break;
  }
  state.cpuid = cpuid;
  return state;
}

Result<> ReadKeyKind(ObjectReader& in, snp::KeyKind& into) {
  const auto kind = TRY(in.OptionalText("keyKind", 8));
  if (!kind) return Done{};
  if (*kind != "VCEK" && *kind != "VLEK") return Malformed("keyKind is VCEK or VLEK");
  into = *kind == "VLEK" ? snp::KeyKind::kVlek : snp::KeyKind::kVcek;
  return Done{};
}

Result<> ReadPlatform(ObjectReader& in, LaunchState& state) {
  TRY(ReadNumber(in, "version", state.version));
  TRY(ReadKeyKind(in, state.key_kind));
  TRY(ReadMask(in, "platformInfo", state.platform_info));
  snp::Tcb tcb = state.reported_tcb;
  TRY(ReadTcb(in, "tcb", tcb));
  state.SetTcb(tcb);
  TRY(ReadTcb(in, "reportedTcb", state.reported_tcb));
  TRY(ReadTcb(in, "committedTcb", state.committed_tcb));
  TRY(ReadTcb(in, "currentTcb", state.current_tcb));
  TRY(ReadTcb(in, "launchTcb", state.launch_tcb));
  TRY(ReadFirmware(in, "currentFirmware", state.current_firmware));
  TRY(ReadFirmware(in, "committedFirmware", state.committed_firmware));
  TRY(ReadMask(in, "launchMitigations", state.launch_mitigations));
  TRY(ReadMask(in, "currentMitigations", state.current_mitigations));
  TRY(ReadBytes(in, "chipId", state.chip_id));
  state.chip_id_masked = TRY(in.OptionalFlag("chipIdMasked")).value_or(state.chip_id_masked);
  state.csp_id = TRY(in.OptionalText("cspId", 127)).value_or(state.csp_id);
  return Done{};
}

Result<> ReadGuest(ObjectReader& in, LaunchState& state) {
  TRY(ReadMask(in, "policy", state.policy));
  TRY(ReadNumber(in, "guestSvn", state.guest_svn));
  TRY(ReadNumber(in, "vmpl", state.vmpl));
  TRY(ReadBytes(in, "measurement", state.measurement));
  TRY(ReadBytes(in, "hostData", state.host_data));
  TRY(ReadBytes(in, "familyId", state.family_id));
  TRY(ReadBytes(in, "imageId", state.image_id));
  TRY(ReadBytes(in, "idKeyDigest", state.id_key_digest));
  TRY(ReadBytes(in, "authorKeyDigest", state.author_key_digest));
  state.author_key_enabled = TRY(in.OptionalFlag("authorKeyEnabled")).value_or(state.author_key_enabled);
  TRY(ReadBytes(in, "reportId", state.report_id));
  TRY(ReadBytes(in, "reportIdMa", state.report_id_ma));
  return Done{};
}

template <typename T>
Json HexOf(const T& value) {
  return codec::EncodeHex(value.bytes());
}

}  // namespace

Result<LaunchState> LaunchStateFromJson(const Json& value) {
  ObjectReader in = TRY(ObjectReader::Open(value));
  LaunchState state = TRY(StartingPoint(in));
  TRY(ReadPlatform(in, state));
  TRY(ReadGuest(in, state));
  TRY(in.Finish());
  return state;
}

Json ToJson(const LaunchState& state) {
  return Json::Object({
      {"version", state.version},
      {"keyKind", snp::NameOf(state.key_kind)},
      {"cpuid", Json::Object({{"family", state.cpuid.family},
                              {"model", state.cpuid.model},
                              {"stepping", state.cpuid.stepping}})},
      {"guestSvn", state.guest_svn},
      {"policy", MaskText(state.policy)},
      {"vmpl", state.vmpl},
      {"platformInfo", MaskText(state.platform_info)},
      {"reportedTcb", TcbJson(state.reported_tcb)},
      {"committedTcb", TcbJson(state.committed_tcb)},
      {"currentTcb", TcbJson(state.current_tcb)},
      {"launchTcb", TcbJson(state.launch_tcb)},
      {"currentFirmware", FirmwareJson(state.current_firmware)},
      {"committedFirmware", FirmwareJson(state.committed_firmware)},
      {"launchMitigations", MaskText(state.launch_mitigations)},
      {"currentMitigations", MaskText(state.current_mitigations)},
      {"measurement", HexOf(state.measurement)},
      {"hostData", HexOf(state.host_data)},
      {"familyId", HexOf(state.family_id)},
      {"imageId", HexOf(state.image_id)},
      {"idKeyDigest", HexOf(state.id_key_digest)},
      {"authorKeyDigest", HexOf(state.author_key_digest)},
      {"authorKeyEnabled", state.author_key_enabled},
      {"reportId", HexOf(state.report_id)},
      {"reportIdMa", HexOf(state.report_id_ma)},
      {"chipId", HexOf(state.chip_id)},
      {"chipIdMasked", state.chip_id_masked},
      {"cspId", state.csp_id},
  });
}

}  // namespace portcullis::lab

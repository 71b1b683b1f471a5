#include <charconv>
#include <limits>

#include "codec/text.h"
#include "tests/lab/tdx_state.h"

namespace portcullis::lab {
namespace {

using codec::Json;
using codec::JsonArray;
using codec::ObjectReader;

constexpr std::size_t kMaxEventText = 4096;

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
template <std::size_t N>
Result<> ReadOctets(ObjectReader& in, std::string_view name, std::array<std::uint8_t, N>& into) {
  const auto text = TRY(in.OptionalText(name, 2 * N));
  if (!text) return Done{};
  const ByteBuffer raw = TRY_AT(name, codec::DecodeHex(*text));
  if (raw.size() != N) return Malformed("value has the wrong length").At(name);
  std::ranges::transform(raw, into.begin(), [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
  return Done{};
}
template <typename T>
Result<> ReadNumber(ObjectReader& in, std::string_view name, T& into) {
  const auto number = TRY(in.OptionalInteger(name, 0, std::numeric_limits<T>::max()));
  if (number) into = static_cast<T>(*number);
  return Done{};
}

template <typename T>
Json HexOf(const T& value) {
  return codec::EncodeHex(value.bytes());
}
template <std::size_t N>
Json HexOf(const std::array<std::uint8_t, N>& value) {
  return codec::EncodeHex(std::as_bytes(std::span(value)));
}

Result<LabEvent> ReadEvent(const Json& value) {
  ObjectReader in = TRY(ObjectReader::Open(value));
  LabEvent event{};
  event.rtmr = static_cast<std::uint32_t>(TRY(in.Integer("rtmr", 0, 3)));
  event.type =
      static_cast<std::uint32_t>(TRY(in.Integer("type", 0, std::numeric_limits<std::uint32_t>::max())));
  event.data = TRY_AT("data", codec::DecodeHex(TRY(in.Text("data", 2 * kMaxEventText))));
  if (const auto digest = TRY(in.OptionalText("digest", 2 * tdx::Measurement::kSize)))
    event.digest = TRY_AT("digest", codec::FixedFromHex<tdx::Measurement>(*digest));
  TRY(in.Finish());
  return event;
}

/// The log, the registers that it yields, then those that are said to be others.
Result<> ReadRegisters(ObjectReader& in, TdState& state) {
  if (const Json* events = in.Optional("events")) {
    const JsonArray* list = events->if_array();
    if (list == nullptr) return Malformed("events are a list").At("events");
    std::vector<LabEvent> read;
    for (const Json& event : *list) read.push_back(TRY_AT("events", ReadEvent(event)));
    state.SetEvents(std::move(read));
  }
  state.has_event_log = TRY(in.OptionalFlag("hasEventLog")).value_or(state.has_event_log);
  TRY(ReadBytes(in, "rtmr0", state.rtmrs[0]));
  TRY(ReadBytes(in, "rtmr1", state.rtmrs[1]));
  TRY(ReadBytes(in, "rtmr2", state.rtmrs[2]));
  return ReadBytes(in, "rtmr3", state.rtmrs[3]);
}

Result<> ReadTdx15(ObjectReader& in, TdState& state) {
  tdx::TdReport15 report{state.tee_tcb_svn, {}};
  const bool has_svn = in.Optional("teeTcbSvn2") != nullptr;
  const bool has_service = in.Optional("mrServiceTd") != nullptr;
  TRY(ReadBytes(in, "teeTcbSvn2", report.tee_tcb_svn_2));
  TRY(ReadBytes(in, "mrServiceTd", report.mr_service_td));
  if (has_svn || has_service) state.tdx15 = report;
  return Done{};
}

Result<> ReadTd(ObjectReader& in, TdState& state) {
  TRY(ReadNumber(in, "version", state.version));
  TRY(ReadBytes(in, "teeTcbSvn", state.tee_tcb_svn));
  TRY(ReadBytes(in, "mrSeam", state.mr_seam));
  TRY(ReadBytes(in, "mrSignerSeam", state.mr_signer_seam));
  TRY(ReadMask(in, "seamAttributes", state.seam_attributes));
  TRY(ReadMask(in, "tdAttributes", state.td_attributes));
  TRY(ReadMask(in, "xfam", state.xfam));
  TRY(ReadBytes(in, "mrTd", state.mr_td));
  TRY(ReadBytes(in, "mrConfigId", state.mr_config_id));
  TRY(ReadBytes(in, "mrOwner", state.mr_owner));
  TRY(ReadBytes(in, "mrOwnerConfig", state.mr_owner_config));
  TRY(ReadRegisters(in, state));
  return ReadTdx15(in, state);
}

Result<> ReadPlatform(ObjectReader& in, TdState& state) {
  TRY(ReadNumber(in, "qeMiscSelect", state.qe_misc_select));
  TRY(ReadBytes(in, "qeAttributes", state.qe_attributes));
  TRY(ReadBytes(in, "qeMrSigner", state.qe_mr_signer));
  TRY(ReadNumber(in, "qeIsvProdId", state.qe_isv_prod_id));
  TRY(ReadNumber(in, "qeIsvSvn", state.qe_isv_svn));
  if (const auto ca = TRY(in.OptionalText("ca", 16))) {
    if (*ca != "platform" && *ca != "processor") return Malformed("ca is platform or processor").At("ca");
    state.ca = *ca == "platform" ? tdx::PckCa::kPlatform : tdx::PckCa::kProcessor;
  }
  TRY(ReadBytes(in, "ppid", state.ppid));
  TRY(ReadOctets(in, "components", state.components));
  TRY(ReadNumber(in, "pceSvn", state.pce_svn));
  TRY(ReadBytes(in, "fmspc", state.fmspc));
  return ReadOctets(in, "pceId", state.pce_id);
}

Json EventsJson(const std::vector<LabEvent>& events) {
  JsonArray out;
  for (const LabEvent& event : events)
    out.push_back(Json::Object({{"rtmr", event.rtmr},
                                {"type", event.type},
                                {"data", codec::EncodeHex(event.data)},
                                {"digest", HexOf(event.DigestOf())}}));
  return out;
}

}  // namespace

Result<TdState> TdStateFromJson(const Json& value) {
  ObjectReader in = TRY(ObjectReader::Open(value));
  if (TRY(in.OptionalText("tee", 16)).value_or("tdx") != "tdx") return Malformed("the state is not a TD's");
  TdState state;
  TRY(ReadTd(in, state));
  TRY(ReadPlatform(in, state));
  TRY(in.Finish());
  return state;
}

Json ToJson(const TdState& state) {
  Json out = Json::Object({
      {"tee", "tdx"},
      {"version", state.version},
      {"teeTcbSvn", HexOf(state.tee_tcb_svn)},
      {"mrSeam", HexOf(state.mr_seam)},
      {"mrSignerSeam", HexOf(state.mr_signer_seam)},
      {"seamAttributes", MaskText(state.seam_attributes)},
      {"tdAttributes", MaskText(state.td_attributes)},
      {"xfam", MaskText(state.xfam)},
      {"mrTd", HexOf(state.mr_td)},
      {"mrConfigId", HexOf(state.mr_config_id)},
      {"mrOwner", HexOf(state.mr_owner)},
      {"mrOwnerConfig", HexOf(state.mr_owner_config)},
      {"events", EventsJson(state.events)},
      {"hasEventLog", state.has_event_log},
      {"rtmr0", HexOf(state.rtmrs[0])},
      {"rtmr1", HexOf(state.rtmrs[1])},
      {"rtmr2", HexOf(state.rtmrs[2])},
      {"rtmr3", HexOf(state.rtmrs[3])},
      {"qeMiscSelect", state.qe_misc_select},
      {"qeAttributes", HexOf(state.qe_attributes)},
      {"qeMrSigner", HexOf(state.qe_mr_signer)},
      {"qeIsvProdId", state.qe_isv_prod_id},
      {"qeIsvSvn", state.qe_isv_svn},
      {"ca", tdx::NameOf(state.ca)},
      {"ppid", HexOf(state.ppid)},
      {"components", HexOf(state.components)},
      {"pceSvn", state.pce_svn},
      {"fmspc", HexOf(state.fmspc)},
      {"pceId", HexOf(state.pce_id)},
  });
  if (state.tdx15) {
    out.Set("teeTcbSvn2", HexOf(state.tdx15->tee_tcb_svn_2));
    out.Set("mrServiceTd", HexOf(state.tdx15->mr_service_td));
  }
  return out;
}

}  // namespace portcullis::lab

#include "evidence/azure/hcl_report.h"

#include <algorithm>

#include "codec/json.h"
#include "codec/text.h"

namespace portcullis::azure {
namespace {

using codec::Json;
using codec::ObjectReader;

// Header, hardware report, request data; the middle has room for the larger of the reports.
constexpr std::size_t kHeaderSize = 0x20, kReportAreaSize = 0x4A0, kTdReportSize = 1024;
constexpr std::string_view kMagic = "HCLA";
constexpr std::uint32_t kMaxHeaderVersion = 2, kRequestType = 2, kDataVersion = 1, kHashSha256 = 1;
constexpr std::uint32_t kRequestHeaderSize = 20;
constexpr std::string_view kKeyName = "HCLAkPub";

Error Malformed(StaticText why) { return {ReasonCode::kEvidenceMalformed, why}; }

bool AllZero(Bytes bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

/// The size that the header gives: of header, report and request data together.
Result<std::uint32_t> TakeHeader(ByteReader& in) {
  const Bytes magic = TRY(in.Take(kMagic.size()));
  if (AsText(magic) != kMagic) return Malformed("not an HCL report: magic");
  const auto version = TRY(in.TakeLittle<std::uint32_t>());
  if (version < 1 || version > kMaxHeaderVersion) return Malformed("an HCL report must have version 1 or 2");
  const auto size = TRY(in.TakeLittle<std::uint32_t>());
  const auto request = TRY(in.TakeLittle<std::uint32_t>());
  if (request != kRequestType) return Malformed("an HCL report must be of request type 2");
  const Bytes rest = TRY(in.Take(kHeaderSize - in.offset()));
  if (!AllZero(rest)) return Malformed("an HCL report has a status or a reserved field that is not zero");
  return size;
}

/// The request data: its header, and the paravisor's own data, which it returns.
Result<Bytes> TakeRequestData(ByteReader& in, ReportType expected) {
  const auto size = TRY(in.TakeLittle<std::uint32_t>());
  const auto version = TRY(in.TakeLittle<std::uint32_t>());
  const auto type = TRY(in.TakeLittle<std::uint32_t>());
  const auto hash = TRY(in.TakeLittle<std::uint32_t>());
  if (version != kDataVersion) return Malformed("request data of an HCL report must have version 1");
  if (type != static_cast<std::uint32_t>(expected))
    return Malformed("an HCL report holds the report of another TEE");
  if (hash != kHashSha256) return Malformed("data of an HCL report must be hashed with SHA-256");
  const Bytes data = TRY(in.TakeSized<std::uint32_t>(kMaxHclBytes));
  if (size != kRequestHeaderSize + data.size()) return Malformed("sizes within an HCL report contradict");
  return data;
}

/// The one key of the name, among at most 8.
Result<crypto::RsaPublicKey> KeyIn(const codec::JsonArray& keys) {
  const Json* found = nullptr;
  for (const Json& key : keys) {
    if (key.TextAt({"kid"}) != kKeyName) continue;
    if (found != nullptr) return Malformed("an HCL report names two attestation keys");
    found = &key;
  }
  if (found == nullptr) return Malformed("an HCL report names no attestation key");
  return crypto::RsaPublicKey::FromJwk(*found);
}

/// What the paravisor's own data says.
struct VarData {
  crypto::RsaPublicKey key;
  bool secure_boot;
  std::string vm_id;
  std::optional<UserData> user_data;
};

Result<std::optional<UserData>> ReadUserData(ObjectReader& in) {
  const auto text = TRY(in.OptionalText("user-data", 2 * UserData::kSize));
  if (!text) return std::optional<UserData>();
  const auto value = codec::FixedFromHex<UserData>(*text);
  if (!value) return Malformed("user-data of an HCL report must be 128 hex digits");
  return std::optional(*value);
}

/// Members that are not looked at may be there: newer paravisors add them, and the hardware signed them all.
Result<VarData> ReadVarData(Bytes data) {
  const auto value = codec::ParseJson(AsText(data), {.max_bytes = kMaxHclBytes, .max_depth = 8});
  if (!value) return Malformed("data of an HCL report is not JSON");
  ObjectReader in = TRY(ObjectReader::Open(*value, ReasonCode::kEvidenceMalformed));
  const codec::JsonArray* const keys = TRY(in.Array("keys", 8));
  auto key = TRY_AT("keys", KeyIn(*keys));
  const Json* const configuration = TRY(in.Object("vm-configuration"));
  ObjectReader vm =
      TRY_AT("vm-configuration", ObjectReader::Open(*configuration, ReasonCode::kEvidenceMalformed));
  const bool secure_boot = TRY_AT("vm-configuration", vm.Flag("secure-boot"));
  const auto vm_id = TRY_AT("vm-configuration", vm.OptionalText("vmUniqueId", 64));
  const auto user_data = TRY(ReadUserData(in));
  return VarData{std::move(key), secure_boot, vm_id.value_or(""), user_data};
}

}  // namespace

Result<HclReport> ParseHclReport(Bytes bytes, ReportType expected) {
  if (bytes.size() > kMaxHclBytes) return Malformed("an HCL report is above 4096 bytes");
  ByteReader in(bytes);
  const std::uint32_t size = TRY(TakeHeader(in));
  const Bytes area = TRY(in.Take(kReportAreaSize));
  const Bytes report = expected == ReportType::kTdx ? area.first(kTdReportSize) : area;
  if (!AllZero(area.subspan(report.size()))) return Malformed("bytes are left behind a TDREPORT");
  const Bytes var_data = TRY(TakeRequestData(in, expected));
  // The header counts the data but not the header before it.
  if (size != kHeaderSize + kReportAreaSize + kRequestHeaderSize + var_data.size())
    return Malformed("sizes within an HCL report contradict");
  const Bytes padding = TRY(in.Take(in.remaining()));
  if (!AllZero(padding)) return Malformed("bytes are left behind an HCL report");

  VarData said = TRY(ReadVarData(var_data));
  return HclReport{.type = expected,
                   .hardware_report = ToBuffer(report),
                   .var_data = ToBuffer(var_data),
                   .attestation_key = std::move(said.key),
                   .secure_boot = said.secure_boot,
                   .vm_id = std::move(said.vm_id),
                   .user_data = said.user_data};
}

TdReportFields FieldsOfTdReport(Bytes td_report) {
  // REPORTMACSTRUCT of 256 bytes, TEE_TCB_INFO of 256, TDINFO: attributes, XFAM, MRTD, three more, RTMRs.
  constexpr std::size_t kReportData = 128, kMrTd = 512 + 16, kRtmrs = kMrTd + 4 * 48, kSize = 48;
  TdReportFields out{td_report.subspan(kMrTd, kSize), {}, td_report.subspan(kReportData, UserData::kSize)};
  for (std::size_t i = 0; i < out.rtmrs.size(); ++i)
    out.rtmrs[i] = td_report.subspan(kRtmrs + kSize * i, kSize);
  return out;
}

}  // namespace portcullis::azure

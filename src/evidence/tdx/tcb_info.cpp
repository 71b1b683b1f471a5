#include "evidence/tdx/tcb_info.h"

#include <algorithm>
#include <tuple>

#include "codec/text.h"

namespace portcullis::tdx {
namespace {

using codec::Json;
using codec::ObjectReader;

constexpr std::size_t kMaxLevels = 256;
constexpr std::size_t kMaxIdentities = 64;  // 2 today
constexpr std::size_t kMaxHexLength = 96;
using AttributeBytes = FixedBytes<struct AttributeBytesTag, 8>;

Error Malformed(StaticText text) { return Error{ReasonCode::kEvidenceMalformed, text}; }

Result<ObjectReader> Open(const Json& value) {
  return ObjectReader::Open(value, ReasonCode::kEvidenceMalformed);
}

template <typename T>
Result<T> Hex(ObjectReader& in, std::string_view name) {
  const std::string text = TRY(in.Text(name, kMaxHexLength));
  const auto value = codec::FixedFromHex<T>(text);
  if (!value) return Malformed("value is not hex of its length").At(name);
  return *value;
}

/// Hex of the field's bytes, which are little-endian.
Result<std::uint64_t> Attributes(ObjectReader& in, std::string_view name) {
  const AttributeBytes bytes = TRY(Hex<AttributeBytes>(in, name));
  return FixedLayout<8>(bytes.array()).Field<std::uint64_t, 0>();
}

Result<TcbComponents> Components(ObjectReader& tcb, std::string_view name) {
  const codec::JsonArray& items = *TRY(tcb.Array(name, kTcbComponents));
  if (items.size() != kTcbComponents) return Malformed("list does not have 16 components").At(name);
  TcbComponents out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    auto item = TRY_AT(name, Open(items[i]));
    out[i] = static_cast<std::uint8_t>(TRY_AT(name, item.Integer("svn", 0, 0xFF)));
  }
  return out;
}

Result<PlatformLevel> ReadPlatformLevel(const Json& value) {
  auto level = TRY(Open(value));
  auto tcb = TRY(Open(*TRY(level.Object("tcb"))));
  PlatformLevel out{};
  out.sgx = TRY(Components(tcb, "sgxtcbcomponents"));
  out.pce_svn = static_cast<std::uint16_t>(TRY(tcb.Integer("pcesvn", 0, 0xFFFF)));
  out.tdx = TRY(Components(tcb, "tdxtcbcomponents"));
  out.status = TRY(ReadLevelStatus(level));
  return out;
}

Result<std::vector<PlatformLevel>> ReadPlatformLevels(ObjectReader& info) {
  std::vector<PlatformLevel> out;
  for (const Json& value : *TRY(info.Array("tcbLevels", kMaxLevels)))
    out.push_back(TRY_AT("tcbLevels", ReadPlatformLevel(value)));
  const auto order = [](const PlatformLevel& level) { return std::tie(level.sgx, level.pce_svn, level.tdx); };
  std::ranges::stable_sort(out, std::ranges::greater(), order);
  return out;
}

Result<ModuleIdentity> ReadSigner(ObjectReader& in) {
  ModuleIdentity out{};
  out.mr_signer = TRY(Hex<Measurement>(in, "mrsigner"));
  out.attributes = TRY(Attributes(in, "attributes"));
  out.attributes_mask = TRY(Attributes(in, "attributesMask"));
  return out;
}

Result<ModuleIdentity> ReadIdentity(const Json& value) {
  auto in = TRY(Open(value));
  ModuleIdentity out = TRY(ReadSigner(in));
  out.id = TRY(in.Text("id", kMaxHexLength));
  std::ranges::transform(out.id, out.id.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  out.levels = TRY(ReadSvnLevels(in));
  return out;
}

}  // namespace

Result<TcbInfo> ReadTcbInfo(const Json& object) {
  auto in = TRY(Open(object));
  TcbInfo out{};
  out.fmspc = TRY(Hex<Fmspc>(in, "fmspc"));
  out.pce_id = TRY(Hex<PceId>(in, "pceId"));
  TRY(in.Integer("tcbEvaluationDataNumber", 0, 0xFFFFFFFF));
  auto module = TRY_AT("tdxModule", Open(*TRY(in.Object("tdxModule"))));
  out.module = TRY_AT("tdxModule", ReadSigner(module));
  if (in.Optional("tdxModuleIdentities") != nullptr)
    for (const Json& value : *TRY(in.Array("tdxModuleIdentities", kMaxIdentities)))
      out.identities.push_back(TRY_AT("tdxModuleIdentities", ReadIdentity(value)));
  out.levels = TRY(ReadPlatformLevels(in));
  return out;
}

}  // namespace portcullis::tdx

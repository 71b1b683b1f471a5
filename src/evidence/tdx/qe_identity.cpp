#include "evidence/tdx/qe_identity.h"

#include "codec/text.h"

namespace portcullis::tdx {
namespace {

using codec::ObjectReader;

constexpr std::size_t kMaxHexLength = 64;
using MiscSelectBytes = FixedBytes<struct MiscSelectTag, 4>;

template <typename T>
Result<T> Hex(ObjectReader& in, std::string_view name) {
  const std::string text = TRY(in.Text(name, kMaxHexLength));
  const auto value = codec::FixedFromHex<T>(text);
  if (!value) return Error{ReasonCode::kEvidenceMalformed, "value is not hex of its length"}.At(name);
  return *value;
}

/// Hex of the field's bytes, which are little-endian.
Result<std::uint32_t> MiscSelect(ObjectReader& in, std::string_view name) {
  const MiscSelectBytes bytes = TRY(Hex<MiscSelectBytes>(in, name));
  return FixedLayout<4>(bytes.array()).Field<std::uint32_t, 0>();
}

}  // namespace

bool QeIdentity::Matches(const QeReport& report) const {
  for (std::size_t i = 0; i < QeAttributes::kSize; ++i)
    if ((report.attributes.array()[i] & attributes_mask.array()[i]) != attributes.array()[i]) return false;
  return (report.misc_select & misc_select_mask) == misc_select && report.mr_signer == mr_signer &&
         report.isv_prod_id == isv_prod_id;
}

Result<QeIdentity> ReadQeIdentity(const codec::Json& object) {
  auto in = TRY(ObjectReader::Open(object, ReasonCode::kEvidenceMalformed));
  QeIdentity out{};
  TRY(in.Integer("tcbEvaluationDataNumber", 0, 0xFFFFFFFF));
  out.misc_select = TRY(MiscSelect(in, "miscselect"));
  out.misc_select_mask = TRY(MiscSelect(in, "miscselectMask"));
  out.attributes = TRY(Hex<QeAttributes>(in, "attributes"));
  out.attributes_mask = TRY(Hex<QeAttributes>(in, "attributesMask"));
  out.mr_signer = TRY(Hex<QeSigner>(in, "mrsigner"));
  out.isv_prod_id = static_cast<std::uint16_t>(TRY(in.Integer("isvprodid", 0, 0xFFFF)));
  out.levels = TRY(ReadSvnLevels(in));
  return out;
}

}  // namespace portcullis::tdx

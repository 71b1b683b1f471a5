#include <algorithm>

#include "evidence/snp/chain.h"

namespace portcullis::snp {
namespace {

// AMD's arc 1.3.6.1.4.1.3704.1 (AMD 57230, VCEK and VLEK certificate format).
constexpr std::string_view kStructVersion = "1.3.6.1.4.1.3704.1.1";
constexpr std::string_view kProductName = "1.3.6.1.4.1.3704.1.2";
constexpr std::string_view kBootloaderSpl = "1.3.6.1.4.1.3704.1.3.1";
constexpr std::string_view kTeeSpl = "1.3.6.1.4.1.3704.1.3.2";
constexpr std::string_view kSnpSpl = "1.3.6.1.4.1.3704.1.3.3";
constexpr std::string_view kReservedSpls[] = {"1.3.6.1.4.1.3704.1.3.4", "1.3.6.1.4.1.3704.1.3.5",
                                              "1.3.6.1.4.1.3704.1.3.6", "1.3.6.1.4.1.3704.1.3.7"};
constexpr std::string_view kMicrocodeSpl = "1.3.6.1.4.1.3704.1.3.8";
constexpr std::string_view kFmcSpl = "1.3.6.1.4.1.3704.1.3.9";
constexpr std::string_view kHwid = "1.3.6.1.4.1.3704.1.4";
constexpr std::string_view kCspId = "1.3.6.1.4.1.3704.1.5";

constexpr std::byte kDerInteger{0x02}, kDerOctetString{0x04}, kDerIa5String{0x16};
constexpr std::uint8_t kStructVersionWithFmc = 1;

Error Mismatch(StaticText text, std::string_view oid) {
  return {ReasonCode::kCertificateMismatch, text, std::string(oid)};
}

Result<Bytes> Required(const crypto::Certificate& leaf, std::string_view oid) {
  const auto value = leaf.Extension(oid);
  if (!value) return Mismatch("certificate lacks an extension", oid);
  return *value;
}

/// The content of one DER value of this tag that is all there is; short-form lengths are enough here.
std::optional<Bytes> Content(Bytes der, std::byte tag) {
  if (der.size() < 2 || der[0] != tag || std::to_integer<std::size_t>(der[1]) != der.size() - 2 ||
      der.size() - 2 > 127)
    return std::nullopt;
  return der.subspan(2);
}

/// A DER INTEGER of 0..255: one byte up to 127, above that a zero and a byte.
Result<std::uint8_t> SmallInteger(const crypto::Certificate& leaf, std::string_view oid) {
  const Bytes der = TRY(Required(leaf, oid));
  const auto content = Content(der, kDerInteger);
  const auto value = [&](std::size_t i) { return std::to_integer<std::uint8_t>((*content)[i]); };
  if (content && content->size() == 1 && value(0) < 0x80) return value(0);
  if (content && content->size() == 2 && value(0) == 0 && value(1) >= 0x80) return value(1);
  return Mismatch("extension is not an INTEGER of 0..255", oid);
}

Result<std::string> PrintableText(Bytes der, std::string_view oid) {
  const auto content = Content(der, kDerIa5String);
  const auto printable = [](char c) { return c >= 0x20 && c < 0x7F; };
  if (!content || content->empty() || !std::ranges::all_of(AsText(*content), printable))
    return Mismatch("extension is not a printable IA5String", oid);
  return ToText(*content);
}

/// The raw id in extnValue, as AMD's KDS writes it, or wrapped in a DER OCTET STRING. The lengths never
/// clash.
Result<ByteBuffer> HardwareId(Bytes value) {
  const auto known_size = [](std::size_t size) { return size == 64 || size == 8; };
  if (known_size(value.size())) return ToBuffer(value);
  const auto wrapped = Content(value, kDerOctetString);
  if (wrapped && known_size(wrapped->size())) return ToBuffer(*wrapped);
  return Mismatch("hardware id is neither 64 nor 8 bytes", kHwid);
}

/// A level that no component has yet: one that is not zero means a TCB that we can't compare.
Result<> ReservedLevelsAreZero(const crypto::Certificate& leaf) {
  for (const std::string_view oid : kReservedSpls)
    if (leaf.Extension(oid) && TRY(SmallInteger(leaf, oid)) != 0)
      return Mismatch("a reserved security patch level is not zero", oid);
  return Done{};
}

Result<Tcb> LevelsOf(const crypto::Certificate& leaf, std::uint8_t struct_version) {
  TRY(ReservedLevelsAreZero(leaf));
  Tcb tcb;
  tcb.bootloader = TRY(SmallInteger(leaf, kBootloaderSpl));
  tcb.tee = TRY(SmallInteger(leaf, kTeeSpl));
  tcb.snp = TRY(SmallInteger(leaf, kSnpSpl));
  tcb.microcode = TRY(SmallInteger(leaf, kMicrocodeSpl));
  if (struct_version == kStructVersionWithFmc)
    tcb.fmc = TRY(SmallInteger(leaf, kFmcSpl));
  else if (leaf.Extension(kFmcSpl))
    return Mismatch("extension does not belong to this structure version", kFmcSpl);
  return tcb;
}

}  // namespace

Result<LeafExtensions> ParseLeafExtensions(const crypto::Certificate& leaf) {
  LeafExtensions out{};
  out.struct_version = TRY(SmallInteger(leaf, kStructVersion));
  if (out.struct_version > kStructVersionWithFmc)
    return Mismatch("structure version is above 1", kStructVersion);
  out.product_name = TRY(PrintableText(TRY(Required(leaf, kProductName)), kProductName));
  out.tcb = TRY(LevelsOf(leaf, out.struct_version));
  if (const auto hwid = leaf.Extension(kHwid)) out.hwid = TRY(HardwareId(*hwid));
  if (const auto csp_id = leaf.Extension(kCspId)) out.csp_id = TRY(PrintableText(*csp_id, kCspId));
  return out;
}

}  // namespace portcullis::snp

#include "evidence/tdx/pck_extension.h"

#include <algorithm>

#include "crypto/der.h"

namespace portcullis::tdx {
namespace {

using crypto::DerReader;
using std::string_view_literals::operator""sv;

constexpr std::string_view kSgxExtension = "1.2.840.113741.1.13.1";
constexpr auto kSgxArc = "\x2A\x86\x48\x86\xF8\x4D\x01\x0D\x01"sv;  // the same, as DER has it
constexpr std::uint8_t kDerEnumerated = 0x0A;

// Arcs below the extension's own.
constexpr std::uint8_t kPpid = 1, kTcb = 2, kPceId = 3, kFmspc = 4, kSgxType = 5, kInstance = 6,
                       kConfiguration = 7, kFieldCount = 8;
constexpr std::uint8_t kPceSvn = 17, kCpuSvn = 18, kTcbFieldCount = 19;
constexpr std::uint8_t kDynamicPlatform = 1, kCachedKeys = 2, kSmtEnabled = 3, kConfigurationCount = 4;

Error Mismatch(StaticText text) { return Error{ReasonCode::kCertificateMismatch, text}; }

/// The values of a SEQUENCE OF { OID below `prefix`, value }, by the last arc: each at most once.
template <std::size_t Count>
Result<std::array<std::optional<crypto::DerElement>, Count>> ReadFields(Bytes content, Bytes prefix) {
  std::array<std::optional<crypto::DerElement>, Count> out;
  DerReader in(content);
  while (!in.AtEnd()) {
    DerReader field(TRY(in.Take(crypto::kDerSequence)));
    const Bytes id = TRY(field.Take(crypto::kDerObjectId));
    if (id.size() != prefix.size() + 1 || !SameBytes(id.first(prefix.size()), prefix))
      return Mismatch("SGX extension has a field outside its arc");
    const auto arc = std::to_integer<std::size_t>(id.back());
    if (arc == 0 || arc >= Count) return Mismatch("SGX extension has an unknown field");
    if (out[arc]) return Mismatch("SGX extension has a field twice");
    out[arc] = TRY(field.Next());
    TRY(field.Finish());
  }
  return out;
}

Bytes ArcBelow(std::uint8_t arc, ByteBuffer& storage) {
  storage = ToBuffer(AsBytes(kSgxArc));
  storage.push_back(std::byte{arc});
  return storage;
}

Result<Bytes> Content(const std::optional<crypto::DerElement>& field, std::uint8_t tag) {
  if (!field) return Mismatch("SGX extension lacks a field");
  if (field->tag != tag) return Mismatch("field of the SGX extension has another type");
  return field->content;
}

template <typename T>
Result<T> Octets(const std::optional<crypto::DerElement>& field) {
  const Bytes content = TRY(Content(field, crypto::kDerOctetString));
  if (content.size() != T::kSize) return Mismatch("field of the SGX extension has another length");
  return T::From(content);
}

/// A DER INTEGER or ENUMERATED of 0..limit; IsDer() has seen that it is minimal.
Result<std::uint32_t> Number(const std::optional<crypto::DerElement>& field, std::uint8_t tag,
                             std::uint32_t limit) {
  const Bytes content = TRY(Content(field, tag));
  if (content.empty() || content.size() > 4 || (content.front() & std::byte{0x80}) != std::byte{0})
    return Mismatch("number in the SGX extension is out of range");
  std::uint32_t value = 0;
  for (const std::byte b : content) value = (value << 8) | std::to_integer<std::uint32_t>(b);
  if (value > limit) return Mismatch("number in the SGX extension is out of range");
  return value;
}

Result<bool> Flag(const std::optional<crypto::DerElement>& field) {
  const Bytes content = TRY(Content(field, crypto::kDerBoolean));
  return content.size() == 1 && content.front() == std::byte{0xFF};
}

Result<> ReadTcb(Bytes content, PckExtension& out) {
  ByteBuffer storage;
  const auto fields = TRY(ReadFields<kTcbFieldCount>(content, ArcBelow(kTcb, storage)));
  for (std::size_t i = 0; i < kTcbComponents; ++i)
    out.components[i] = static_cast<std::uint8_t>(TRY(Number(fields[i + 1], crypto::kDerInteger, 0xFF)));
  out.pce_svn = static_cast<std::uint16_t>(TRY(Number(fields[kPceSvn], crypto::kDerInteger, 0xFFFF)));
  out.cpu_svn = TRY(Octets<CpuSvn>(fields[kCpuSvn]));
  const auto same = [](std::byte a, std::uint8_t b) { return std::to_integer<std::uint8_t>(a) == b; };
  if (!std::ranges::equal(out.cpu_svn.bytes(), out.components, same))
    return Mismatch("CPUSVN differs from the TCB components");
  return Done{};
}

Result<> ReadConfiguration(Bytes content, PckExtension& out) {
  ByteBuffer storage;
  const auto fields = TRY(ReadFields<kConfigurationCount>(content, ArcBelow(kConfiguration, storage)));
  if (fields[kDynamicPlatform]) out.dynamic_platform = TRY(Flag(fields[kDynamicPlatform]));
  if (fields[kCachedKeys]) out.cached_keys = TRY(Flag(fields[kCachedKeys]));
  if (fields[kSmtEnabled]) out.smt_enabled = TRY(Flag(fields[kSmtEnabled]));
  return Done{};
}

Result<PckExtension> ReadExtension(Bytes content) {
  const auto fields = TRY(ReadFields<kFieldCount>(content, AsBytes(kSgxArc)));
  PckExtension out{};
  out.ppid = TRY(Octets<Ppid>(fields[kPpid]));
  TRY(ReadTcb(TRY(Content(fields[kTcb], crypto::kDerSequence)), out));
  out.pce_id = TRY(Octets<PceId>(fields[kPceId]));
  out.fmspc = TRY(Octets<Fmspc>(fields[kFmspc]));
  out.sgx_type = static_cast<SgxType>(TRY(Number(fields[kSgxType], kDerEnumerated, 2)));
  if (fields[kInstance]) out.platform_instance_id = TRY(Octets<PlatformInstanceId>(fields[kInstance]));
  if (fields[kConfiguration])
    TRY(ReadConfiguration(TRY(Content(fields[kConfiguration], crypto::kDerSequence)), out));
  return out;
}

}  // namespace

Result<PckExtension> ParsePckExtension(const crypto::Certificate& pck) {
  const auto value = pck.Extension(kSgxExtension);
  if (!value) return Mismatch("certificate has no SGX extension");
  return ParseSgxExtension(*value);
}

Result<PckExtension> ParseSgxExtension(Bytes value) {
  if (!crypto::IsDer(value)) return Mismatch("SGX extension is not DER");
  DerReader in(value);
  const auto content = in.Take(crypto::kDerSequence);
  if (!content) return Mismatch("SGX extension is not a sequence");
  auto extension = ReadExtension(*content);
  if (!extension && extension.error().code != ReasonCode::kCertificateMismatch)
    return Mismatch("SGX extension is malformed");
  return extension;
}

}  // namespace portcullis::tdx

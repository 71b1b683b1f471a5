#include "crypto/certificate_impl.h"
#include "crypto/der.h"
#include "crypto/der_time.h"

namespace portcullis::crypto {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::uint8_t kVersionTag = 0xA0;
constexpr std::uint8_t kExtensionsTag = 0xA3;
// RFC 5280 4.1.2.2 allows 20 octets; Intel draws all 160 bits and so needs a zero in front of half of them.
constexpr std::size_t kMaxSerialBytes = 20;
constexpr auto kEcPublicKeyOid = "\x2a\x86\x48\xce\x3d\x02\x01"sv;

Error Malformed(StaticText text) { return Error{ReasonCode::kEvidenceMalformed, text}; }

std::uint64_t SerialNumber(Bytes content) {
  std::uint64_t value = 0;
  for (const std::byte octet : content) {
    if (value >> 56 != 0) return UINT64_MAX;
    value = (value << 8) | std::to_integer<std::uint64_t>(octet);
  }
  return value;
}

Result<Bytes> ReadName(DerReader& in, bool may_be_empty) {
  const DerElement name = TRY(in.Next());
  if (name.tag != kDerSequence) return Malformed("name is not a sequence");
  if (name.content.empty() && !may_be_empty) return Malformed("issuer is empty");
  return name.whole;
}

Result<Bytes> ReadPublicKeyInfo(DerReader& in) {
  const DerElement info = TRY(in.Next());
  if (info.tag != kDerSequence) return Malformed("public key is not a sequence");
  DerReader fields(info.content);
  DerReader algorithm(TRY(fields.Take(kDerSequence)));
  const Bytes object_id = TRY(algorithm.Take(kDerObjectId));
  // Explicit parameters let a key bring its own curve, with a generator that makes the signature fit.
  if (SameBytes(object_id, AsBytes(kEcPublicKeyOid)) && algorithm.PeekTag() != kDerObjectId)
    return Malformed("EC key is not on a named curve");
  return info.whole;
}

Result<std::vector<CertificateExtension>> ReadExtensions(DerReader& in) {
  std::vector<CertificateExtension> out;
  if (in.AtEnd()) return out;
  DerReader wrapped(TRY(in.Take(kExtensionsTag)));
  DerReader entries(TRY(wrapped.Take(kDerSequence)));
  TRY(wrapped.Finish());
  if (entries.AtEnd()) return Malformed("list of extensions is empty");
  while (!entries.AtEnd()) {
    DerReader entry(TRY(entries.Take(kDerSequence)));
    CertificateExtension extension{
        .object_id = TRY(entry.Take(kDerObjectId)), .critical = entry.PeekTag() == kDerBoolean, .value = {}};
    // FALSE is the default, which DER leaves out.
    if (extension.critical && TRY(entry.Take(kDerBoolean)).front() != std::byte{0xFF})
      return Malformed("extension says that it is not critical");
    extension.value = TRY(entry.Take(kDerOctetString));
    TRY(entry.Finish());
    for (const CertificateExtension& earlier : out) {
      if (SameBytes(earlier.object_id, extension.object_id)) return Malformed("extension stands there twice");
    }
    out.push_back(extension);
  }
  return out;
}

Result<> ReadSignedPart(Certificate::Impl& out) {
  DerReader whole(out.signed_part);
  DerReader in(TRY(whole.Take(kDerSequence)));
  if (in.PeekTag() != kVersionTag) return Malformed("certificate is not version 3");
  DerReader version(TRY(in.Take(kVersionTag)));
  if (!SameBytes(TRY(version.Take(kDerInteger)), AsBytes("\x02"sv)))
    return Malformed("certificate is not version 3");
  TRY(version.Finish());
  out.serial_content = TRY(TakeSerial(in));
  out.serial = SerialNumber(out.serial_content);
  if (!SameBytes(TRY(in.Next()).whole, out.signature_algorithm))
    return Malformed("outer and inner signature algorithm differ");
  out.issuer = TRY(ReadName(in, false));
  DerReader validity(TRY(in.Take(kDerSequence)));
  out.not_before = TRY(TakeDerTime(validity));
  out.not_after = TRY(TakeDerTime(validity));
  TRY(validity.Finish());
  out.subject = TRY(ReadName(in, true));
  out.spki = TRY(ReadPublicKeyInfo(in));
  out.extensions =
      TRY(ReadExtensions(in));  // unique identifiers in front of them are refused, as by RFC 5280
  return in.Finish();
}

}  // namespace

Result<Bytes> TakeSerial(DerReader& in) {
  const Bytes content = TRY(in.Take(kDerInteger));
  if ((content.front() & std::byte{0x80}) != std::byte{0}) return Malformed("serial number is negative");
  const std::size_t sign = content.front() == std::byte{0} ? 1 : 0;
  if (content.size() > kMaxSerialBytes + sign) return Malformed("serial number is longer than 20 bytes");
  return content;
}

Result<> ReadCertificateFields(Certificate::Impl& out) {
  if (out.der.size() > kMaxCertificateBytes) return Malformed("certificate is larger than 16 KiB");
  if (!IsDer(out.der)) return Malformed("certificate is not one element in DER");
  DerReader whole(out.der);
  DerReader in(TRY(whole.Take(kDerSequence)));
  out.signed_part = TRY(in.Next()).whole;
  const DerElement algorithm = TRY(in.Next());
  if (algorithm.tag != kDerSequence) return Malformed("signature algorithm is not a sequence");
  out.signature_algorithm = algorithm.whole;
  const Bytes bits = TRY(in.Take(kDerBitString));
  if (bits.front() != std::byte{0}) return Malformed("signature is not whole bytes");
  out.signature = bits.subspan(1);
  TRY(in.Finish());
  return ReadSignedPart(out);
}

}  // namespace portcullis::crypto

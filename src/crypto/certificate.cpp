#include "crypto/certificate.h"

#include "crypto/certificate_impl.h"
#include "crypto/ecdsa.h"

namespace portcullis::crypto {
namespace {

using std::string_view_literals::operator""sv;

// Contents of OBJECT IDENTIFIERs.
constexpr auto kBasicConstraints = "\x55\x1d\x13"sv;
constexpr auto kKeyUsage = "\x55\x1d\x0f"sv;
constexpr auto kExtendedKeyUsage = "\x55\x1d\x25"sv;
constexpr auto kCertificatePolicies = "\x55\x1d\x20"sv;
constexpr auto kSubjectAltName = "\x55\x1d\x11"sv;

Error Malformed(StaticText text) { return Error{ReasonCode::kEvidenceMalformed, text}; }

std::string TextOf(const X509_NAME* name) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  Require(out != nullptr);
  if (X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253) < 0) return {};
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

/// RFC 5280 4.2.1.3 and 4.2.1.9: both extensions are there, basicConstraints critical. Absent key usage,
/// which OpenSSL reads as "everything", is not enough: every vendor's authorities say what they are.
bool MaySignCertificates(const Certificate::Impl& impl, std::uint32_t flags) {
  const bool stated = std::ranges::any_of(impl.extensions, [](const CertificateExtension& extension) {
    return extension.critical && AsText(extension.object_id) == kBasicConstraints;
  });
  const bool authority = (flags & EXFLAG_CA) != 0 && (flags & EXFLAG_KUSAGE) != 0;
  return stated && authority && (X509_get_key_usage(impl.x509.get()) & KU_KEY_CERT_SIGN) != 0;
}

}  // namespace

std::string CommonNameOf(const X509_NAME* name) {
  const int index = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (index < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, index) >= 0) return {};
  const ASN1_STRING* value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index));
  const std::string text =
      ToText(ViewOf(ASN1_STRING_get0_data(value), static_cast<std::size_t>(ASN1_STRING_length(value))));
  const bool printable = std::ranges::all_of(text, [](char c) { return c >= 0x20 && c <= 0x7E; });
  return printable ? text : std::string();
}

Result<Certificate> Certificate::Parse(Bytes der) {
  auto impl = std::make_shared<Impl>();
  if (der.size() > kMaxCertificateBytes) return Malformed("certificate is larger than 16 KiB");
  impl->der = ToBuffer(der);
  TRY(ReadCertificateFields(*impl));

  const unsigned char* in = Octets(Bytes(impl->der));
  impl->x509.reset(d2i_X509(nullptr, &in, static_cast<long>(impl->der.size())));
  if (impl->x509 == nullptr) return Malformed("certificate can't be read");
  const std::uint32_t flags = X509_get_extension_flags(impl->x509.get());
  if ((flags & EXFLAG_INVALID) != 0) return Malformed("certificate has a malformed extension");
  impl->is_ca = MaySignCertificates(*impl, flags);

  impl->fingerprint = Sha256(impl->der);
  impl->spki_fingerprint = Sha256(impl->spki);
  if (auto key = EcPublicKey::FromSpki(impl->spki)) impl->ec_key = std::move(key).value();
  return Certificate(std::move(impl));
}

Bytes Certificate::der() const { return impl_->der; }
Sha256Digest Certificate::fingerprint() const { return impl_->fingerprint; }
Sha256Digest Certificate::spki_fingerprint() const { return impl_->spki_fingerprint; }
std::string Certificate::subject() const { return TextOf(X509_get_subject_name(impl_->x509.get())); }
std::string Certificate::issuer() const { return TextOf(X509_get_issuer_name(impl_->x509.get())); }
std::string Certificate::subject_common_name() const {
  return CommonNameOf(X509_get_subject_name(impl_->x509.get()));
}
std::string Certificate::issuer_common_name() const {
  return CommonNameOf(X509_get_issuer_name(impl_->x509.get()));
}
WallTime Certificate::not_before() const { return impl_->not_before; }
WallTime Certificate::not_after() const { return impl_->not_after; }
std::uint64_t Certificate::serial() const { return impl_->serial; }
bool Certificate::is_ca() const { return impl_->is_ca; }
std::optional<EcPublicKey> Certificate::ec_key() const { return impl_->ec_key; }

std::optional<Bytes> Certificate::Extension(std::string_view oid) const {
  unsigned char wanted[64];
  const int size = a2d_ASN1_OBJECT(wanted, sizeof wanted, oid.data(), IntSize(oid.size()));
  if (size <= 0) return std::nullopt;
  for (const CertificateExtension& extension : impl_->extensions) {
    if (SameBytes(extension.object_id, ViewOf(wanted, static_cast<std::size_t>(size))))
      return extension.value;
  }
  return std::nullopt;
}

bool Certificate::HasUnknownCriticalExtension() const {
  static constexpr std::string_view kKnown[] = {kBasicConstraints, kKeyUsage, kExtendedKeyUsage,
                                                kCertificatePolicies, kSubjectAltName};
  return std::ranges::any_of(impl_->extensions, [](const CertificateExtension& extension) {
    return extension.critical && std::ranges::find(kKnown, AsText(extension.object_id)) == std::end(kKnown);
  });
}

bool VerifyP384(const Certificate& leaf, Bytes message, Bytes r, Bytes s) {
  const auto key = leaf.ec_key();
  return key && key->curve() == Curve::kP384 && VerifyEcdsaParts(*key, message, r, s);
}

}  // namespace portcullis::crypto

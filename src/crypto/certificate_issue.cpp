#include <openssl/pem.h>

#include "crypto/algorithms.h"
#include "crypto/certificate.h"
#include "crypto/certificate_impl.h"
#include "crypto/ec_key.h"

namespace portcullis::crypto {
namespace {

constexpr std::size_t kSerialBytes = 16;
constexpr std::size_t kKeyIdBytes = 20;
constexpr std::size_t kMaxCommonName = 64;  // RFC 5280 appendix A, ub-common-name
constexpr std::size_t kMaxAlternativeName = 253;

Error Malformed(StaticText text) { return Error{ReasonCode::kRequestMalformed, text}; }

/// Who signs, and how the signature names them.
struct Signer {
  const X509_NAME* name;
  const EcPublicKey& public_key;
  EVP_PKEY* key;
  OctetStringPtr key_id;  // nullptr where the issuer's certificate has none
};

bool IsPrintable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c <= 0x7E; });
}

std::time_t Seconds(WallTime time) {
  return std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(time));
}

OctetStringPtr KeyIdOf(const EcPublicKey& key) {
  // RFC 7093 2 (1): 160 bits of SHA-256 over the point.
  ByteBuffer point{std::byte{0x04}};
  Append(point, key.impl()->point);
  const Sha256Digest digest = Sha256(point);
  OctetStringPtr id(ASN1_OCTET_STRING_new());
  Require(id != nullptr && ASN1_OCTET_STRING_set(id.get(), Octets(digest.bytes()), kKeyIdBytes) == 1);
  return id;
}

void AddExtension(X509* certificate, int nid, void* value, bool critical) {
  Require(X509_add1_ext_i2d(certificate, nid, value, critical ? 1 : 0, X509V3_ADD_APPEND) == 1);
}

void AddBasicConstraints(X509* certificate, bool is_ca) {
  const BasicConstraintsPtr constraints(BASIC_CONSTRAINTS_new());
  Require(constraints != nullptr);
  constraints->ca = is_ca ? 0xFF : 0;
  AddExtension(certificate, NID_basic_constraints, constraints.get(), true);
}

void AddKeyUsage(X509* certificate, bool is_ca) {
  const BitStringPtr usage(ASN1_BIT_STRING_new());
  Require(usage != nullptr);
  const auto set = [&](int bit) { Require(ASN1_BIT_STRING_set_bit(usage.get(), bit, 1) == 1); };
  if (is_ca) {
    set(5);  // keyCertSign
    set(6);  // cRLSign
  } else {
    set(0);  // digitalSignature
  }
  AddExtension(certificate, NID_key_usage, usage.get(), true);
}

void AddExtendedKeyUsage(X509* certificate, const CertificateTemplate& wanted) {
  if (!wanted.server_auth && !wanted.client_auth) return;
  const ExtendedKeyUsagePtr usage(EXTENDED_KEY_USAGE_new());
  Require(usage != nullptr);
  if (wanted.server_auth) Require(sk_ASN1_OBJECT_push(usage.get(), OBJ_nid2obj(NID_server_auth)) > 0);
  if (wanted.client_auth) Require(sk_ASN1_OBJECT_push(usage.get(), OBJ_nid2obj(NID_client_auth)) > 0);
  AddExtension(certificate, NID_ext_key_usage, usage.get(), false);
}

void PushText(GENERAL_NAMES* names, int type, std::string_view text) {
  GeneralNamePtr name(GENERAL_NAME_new());
  ASN1_IA5STRING* value = ASN1_IA5STRING_new();
  Require(name != nullptr && value != nullptr);
  Require(ASN1_STRING_set(value, text.data(), IntSize(text.size())) == 1);
  GENERAL_NAME_set0_value(name.get(), type, value);
  Require(sk_GENERAL_NAME_push(names, name.release()) > 0);
}

Result<> PushAddress(GENERAL_NAMES* names, const std::string& text) {
  // a2i_IPADDRESS() would read no further than a NUL.
  ASN1_OCTET_STRING* address = IsPrintable(text) ? a2i_IPADDRESS(text.c_str()) : nullptr;
  if (address == nullptr) return Malformed("IP address is not one").At(Quoted(text));
  GeneralNamePtr name(GENERAL_NAME_new());
  Require(name != nullptr);
  GENERAL_NAME_set0_value(name.get(), GEN_IPADD, address);
  Require(sk_GENERAL_NAME_push(names, name.release()) > 0);
  return Done{};
}

Result<> AddAlternativeNames(X509* certificate, const CertificateTemplate& wanted) {
  const GeneralNamesPtr names(GENERAL_NAMES_new());
  Require(names != nullptr);
  const auto push = [&](int type, const std::vector<std::string>& texts) -> Result<> {
    for (const std::string& text : texts) {
      if (text.empty() || text.size() > kMaxAlternativeName || !IsPrintable(text))
        return Malformed("alternative name is empty, too long or not ASCII").At(Quoted(text));
      PushText(names.get(), type, text);
    }
    return Done{};
  };
  TRY(push(GEN_DNS, wanted.dns_names));
  TRY(push(GEN_URI, wanted.uris));
  for (const std::string& address : wanted.ip_addresses) TRY(PushAddress(names.get(), address));
  if (sk_GENERAL_NAME_num(names.get()) > 0) {
    // Critical where it is the only name (RFC 5280 4.2.1.6).
    AddExtension(certificate, NID_subject_alt_name, names.get(), wanted.common_name.empty());
  }
  return Done{};
}

void AddKeyIds(X509* certificate, const EcPublicKey& own, const Signer& signer) {
  const OctetStringPtr own_id = KeyIdOf(own);
  AddExtension(certificate, NID_subject_key_identifier, own_id.get(), false);
  if (signer.key_id == nullptr) return;
  const AuthorityKeyIdPtr authority(AUTHORITY_KEYID_new());
  Require(authority != nullptr);
  authority->keyid = ASN1_OCTET_STRING_dup(signer.key_id.get());
  Require(authority->keyid != nullptr);
  AddExtension(certificate, NID_authority_key_identifier, authority.get(), false);
}

void SetSerial(X509* certificate) {
  std::array<std::byte, kSerialBytes> serial;
  SystemRandom().Fill(serial);
  // Positive, and of one length: the first byte is in 0x40..0x7f.
  serial.front() = (serial.front() & std::byte{0x3F}) | std::byte{0x40};
  const BignumPtr number(BN_bin2bn(Octets(Bytes(serial)), IntSize(serial.size()), nullptr));
  Require(number != nullptr &&
          BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr);
}

Result<> CheckTemplate(const CertificateTemplate& wanted) {
  if (wanted.common_name.size() > kMaxCommonName || !IsPrintable(wanted.common_name))
    return Malformed("common name is longer than 64 characters or not ASCII");
  if (wanted.is_ca && wanted.common_name.empty()) return Malformed("an authority needs a name");
  if (wanted.not_after < wanted.not_before) return Malformed("certificate would end before it begins");
  return Done{};
}

void SetNameAndTimes(X509* certificate, const CertificateTemplate& wanted) {
  if (!wanted.common_name.empty()) {
    Require(X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate), NID_commonName, MBSTRING_UTF8,
                                       Octets(AsBytes(wanted.common_name)),
                                       IntSize(wanted.common_name.size()), -1, 0) == 1);
  }
  Require(ASN1_TIME_set(X509_getm_notBefore(certificate), Seconds(wanted.not_before)) != nullptr);
  Require(ASN1_TIME_set(X509_getm_notAfter(certificate), Seconds(wanted.not_after)) != nullptr);
}

ByteBuffer DerOf(X509* certificate) {
  const int size = i2d_X509(certificate, nullptr);
  Require(size > 0);
  ByteBuffer der(static_cast<std::size_t>(size));
  unsigned char* out = Octets(std::span(der));
  Require(i2d_X509(certificate, &out) == size);
  return der;
}

Result<IssuedCertificate> Issue(const CertificateTemplate& wanted, const EcPrivateKey& own,
                                const Signer* issuer) {
  const X509Ptr certificate(X509_new());
  Require(certificate != nullptr && X509_set_version(certificate.get(), X509_VERSION_3) == 1);
  SetSerial(certificate.get());
  SetNameAndTimes(certificate.get(), wanted);
  const Signer self{.name = X509_get_subject_name(certificate.get()),
                    .public_key = own.public_key(),
                    .key = own.impl().key.get(),
                    .key_id = KeyIdOf(own.public_key())};
  const Signer& signer = issuer == nullptr ? self : *issuer;
  Require(X509_set_issuer_name(certificate.get(), signer.name) == 1);
  Require(X509_set_pubkey(certificate.get(), own.impl().key.get()) == 1);
  AddBasicConstraints(certificate.get(), wanted.is_ca);
  AddKeyUsage(certificate.get(), wanted.is_ca);
  AddExtendedKeyUsage(certificate.get(), wanted);
  TRY(AddAlternativeNames(certificate.get(), wanted));
  AddKeyIds(certificate.get(), own.public_key(), signer);
  const EVP_MD* hash = signer.public_key.curve() == Curve::kP256 ? Sha256Method() : Sha384Method();
  Require(X509_sign(certificate.get(), signer.key, hash) > 0);
  return IssuedCertificate{.certificate_der = DerOf(certificate.get()), .private_key_pem = own.ToPem()};
}

}  // namespace

Result<IssuedCertificate> IssueCertificate(const CertificateTemplate& wanted) {
  TRY(CheckTemplate(wanted));
  if (wanted.common_name.empty()) return Malformed("a self-signed certificate needs a name");
  return Issue(wanted, EcPrivateKey::Generate(Curve::kP256), nullptr);
}

Result<IssuedCertificate> IssueCertificate(const CertificateTemplate& wanted, Bytes issuer_der,
                                           const SecretBytes& issuer_key_pem) {
  TRY(CheckTemplate(wanted));
  const auto issuer = Certificate::Parse(issuer_der);
  if (!issuer) return Malformed("issuer's certificate is malformed");
  if (!issuer->is_ca()) return Malformed("issuer is not an authority");
  const EcPrivateKey key = TRY(EcPrivateKey::FromPem(issuer_key_pem));
  if (!issuer->ec_key() || !(*issuer->ec_key() == key.public_key()))
    return Malformed("issuer's key does not belong to its certificate");
  X509* x509 = issuer->impl().x509.get();
  const ASN1_OCTET_STRING* key_id = X509_get0_subject_key_id(x509);
  const Signer signer{.name = X509_get_subject_name(x509),
                      .public_key = key.public_key(),
                      .key = key.impl().key.get(),
                      .key_id = OctetStringPtr(key_id == nullptr ? nullptr : ASN1_OCTET_STRING_dup(key_id))};
  return Issue(wanted, EcPrivateKey::Generate(Curve::kP256), &signer);
}

}  // namespace portcullis::crypto

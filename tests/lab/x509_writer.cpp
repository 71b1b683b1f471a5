#include "tests/lab/x509_writer.h"

namespace portcullis::lab {
namespace {

using crypto::FreeWith;
using crypto::Require;

using ExtensionPtr = std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>>;
using ObjectPtr = std::unique_ptr<ASN1_OBJECT, FreeWith<ASN1_OBJECT_free>>;

std::time_t SecondsOf(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

ByteBuffer DerOf(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  Require(size > 0);
  ByteBuffer out = ToBuffer(crypto::ViewOf(der, static_cast<std::size_t>(size)));
  OPENSSL_free(der);
  return out;
}

}  // namespace

/// AMD's order: OU, C, L, ST, O, CN, all UTF8String but C.
NamePtr AmdName(std::string_view common_name) {
  NamePtr name(X509_NAME_new());
  const auto add = [&](const char* field, int type, std::string_view value) {
    Require(X509_NAME_add_entry_by_txt(name.get(), field, type, crypto::Octets(AsBytes(value)),
                                       crypto::IntSize(value.size()), -1, 0) == 1);
  };
  add("OU", V_ASN1_UTF8STRING, "Engineering");
  add("C", V_ASN1_PRINTABLESTRING, "US");
  add("L", V_ASN1_UTF8STRING, "Santa Clara");
  add("ST", V_ASN1_UTF8STRING, "CA");
  add("O", V_ASN1_UTF8STRING, "Advanced Micro Devices");
  add("CN", V_ASN1_UTF8STRING, common_name);
  return name;
}

crypto::DigestContextPtr PssSigning(const SharedKey& key, const PssParameters& pss) {
  crypto::DigestContextPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;  // owned by `context`
  Require(EVP_DigestSignInit_ex(context.get(), &key_context, pss.digest.c_str(), nullptr, nullptr, key.get(),
                                nullptr) == 1);
  Require(EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) == 1);
  Require(EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, pss.salt) == 1);
  Require(EVP_PKEY_CTX_set_rsa_mgf1_md_name(key_context, pss.mask_digest.c_str(), nullptr) == 1);
  return context;
}

SharedKey GenerateRsa4096() { return {EVP_RSA_gen(4096), FreeWith<EVP_PKEY_free>()}; }
SharedKey GenerateP384() { return {EVP_EC_gen("P-384"), FreeWith<EVP_PKEY_free>()}; }

crypto::X509Ptr OpenSslOf(const crypto::Certificate& certificate) {
  const unsigned char* der = crypto::Octets(certificate.der());
  crypto::X509Ptr out(d2i_X509(nullptr, &der, static_cast<long>(certificate.der().size())));
  Require(out != nullptr);
  return out;
}

X509Writer::X509Writer(long serial, std::string_view subject_name, std::string_view issuer_name,
                       WallTime not_before, WallTime not_after, const SharedKey& subject_key)
    : X509Writer(static_cast<std::uint64_t>(serial), *AmdName(subject_name), *AmdName(issuer_name),
                 not_before, not_after, subject_key) {}

X509Writer::X509Writer(std::uint64_t serial, const X509_NAME& subject_name, const X509_NAME& issuer_name,
                       WallTime not_before, WallTime not_after, const SharedKey& subject_key)
    : certificate_(X509_new()) {
  X509* certificate = certificate_.get();
  Require(X509_set_version(certificate, X509_VERSION_3) == 1);
  Require(ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial) == 1);
  Require(X509_set_subject_name(certificate, &subject_name) == 1);
  Require(X509_set_issuer_name(certificate, &issuer_name) == 1);
  Require(ASN1_TIME_set(X509_getm_notBefore(certificate), SecondsOf(not_before)) != nullptr);
  Require(ASN1_TIME_set(X509_getm_notAfter(certificate), SecondsOf(not_after)) != nullptr);
  Require(X509_set_pubkey(certificate, subject_key.get()) == 1);
}

void X509Writer::Add(const std::string& oid, Bytes value, bool critical) {
  const ObjectPtr object(OBJ_txt2obj(oid.c_str(), 1));
  const crypto::OctetStringPtr content(ASN1_OCTET_STRING_new());
  Require(ASN1_OCTET_STRING_set(content.get(), crypto::Octets(value), crypto::IntSize(value.size())) == 1);
  const ExtensionPtr extension(
      X509_EXTENSION_create_by_OBJ(nullptr, object.get(), critical ? 1 : 0, content.get()));
  Require(extension != nullptr && X509_add_ext(certificate_.get(), extension.get(), -1) == 1);
}

void X509Writer::AddStandard(int nid, const std::string& value, X509* issuer) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer != nullptr ? issuer : certificate_.get(), certificate_.get(), nullptr,
                 nullptr, 0);
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  Require(extension != nullptr && X509_add_ext(certificate_.get(), extension.get(), -1) == 1);
}

ByteBuffer X509Writer::Sign(const SharedKey& issuer_key, const Pss& pss) {
  const crypto::DigestContextPtr context = PssSigning(issuer_key, pss);
  Require(X509_sign_ctx(certificate_.get(), context.get()) > 0);
  return DerOf(certificate_.get());
}

ByteBuffer X509Writer::SignEcdsa(const SharedKey& issuer_key, const std::string& digest) {
  Require(X509_sign(certificate_.get(), issuer_key.get(), EVP_get_digestbyname(digest.c_str())) > 0);
  return DerOf(certificate_.get());
}

}  // namespace portcullis::lab

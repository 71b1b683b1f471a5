#include "tests/lab/crl_writer.h"

namespace portcullis::lab {
namespace {

using crypto::FreeWith;
using crypto::Require;

using CrlPtr = std::unique_ptr<X509_CRL, FreeWith<X509_CRL_free>>;
using IntegerPtr = std::unique_ptr<ASN1_INTEGER, FreeWith<ASN1_INTEGER_free>>;
using TimePtr = std::unique_ptr<ASN1_TIME, FreeWith<ASN1_TIME_free>>;

TimePtr TimeOf(WallTime time) {
  TimePtr out(ASN1_TIME_set(
      nullptr, std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count()));
  Require(out != nullptr);
  return out;
}

IntegerPtr IntegerOf(std::uint64_t value) {
  IntegerPtr out(ASN1_INTEGER_new());
  Require(ASN1_INTEGER_set_uint64(out.get(), value) == 1);
  return out;
}

void Revoke(X509_CRL* list, std::uint64_t serial, WallTime when) {
  X509_REVOKED* const entry = X509_REVOKED_new();  // the list owns it below
  Require(X509_REVOKED_set_serialNumber(entry, IntegerOf(serial).get()) == 1);
  Require(X509_REVOKED_set_revocationDate(entry, TimeOf(when).get()) == 1);
  Require(X509_CRL_add0_revoked(list, entry) == 1);
}

CrlPtr Unsigned(const CrlSpec& spec, const X509_NAME& issuer_name) {
  CrlPtr list(X509_CRL_new());
  Require(X509_CRL_set_version(list.get(), X509_CRL_VERSION_2) == 1);
  Require(X509_CRL_set_issuer_name(list.get(), &issuer_name) == 1);
  Require(X509_CRL_set1_lastUpdate(list.get(), TimeOf(spec.this_update).get()) == 1);
  Require(X509_CRL_set1_nextUpdate(list.get(), TimeOf(spec.next_update).get()) == 1);
  for (const std::uint64_t serial : spec.revoked) Revoke(list.get(), serial, spec.this_update);
  Require(X509_CRL_add1_ext_i2d(list.get(), NID_crl_number, IntegerOf(spec.number).get(), 0, 0) == 1);
  return list;
}

ByteBuffer DerOf(X509_CRL* list) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_CRL(list, &der);
  Require(size > 0);
  ByteBuffer out = ToBuffer(crypto::ViewOf(der, static_cast<std::size_t>(size)));
  OPENSSL_free(der);
  return out;
}

}  // namespace

ByteBuffer SignCrl(const CrlSpec& spec, const SharedKey& issuer_key, const PssParameters& pss) {
  const CrlPtr list = Unsigned(spec, *AmdName(spec.issuer_name));
  const crypto::DigestContextPtr context = PssSigning(issuer_key, pss);
  Require(X509_CRL_sign_ctx(list.get(), context.get()) > 0);
  return DerOf(list.get());
}

ByteBuffer SignCrlEcdsa(const CrlSpec& spec, const X509_NAME& issuer_name, const SharedKey& issuer_key) {
  const CrlPtr list = Unsigned(spec, issuer_name);
  Require(X509_CRL_sign(list.get(), issuer_key.get(), EVP_sha256()) > 0);
  return DerOf(list.get());
}

}  // namespace portcullis::lab

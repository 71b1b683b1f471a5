#include <openssl/core_names.h>

#include "crypto/algorithms.h"
#include "crypto/certificate_impl.h"
#include "crypto/der.h"
#include "crypto/ec_key.h"
#include "crypto/ecdsa.h"

namespace portcullis::crypto {
namespace {

using std::string_view_literals::operator""sv;

constexpr auto kRsaPssOid = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"sv;
constexpr auto kMgf1Oid = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"sv;
constexpr auto kSha384Oid = "\x60\x86\x48\x01\x65\x03\x04\x02\x02"sv;
constexpr auto kEcdsaSha256Oid = "\x2a\x86\x48\xce\x3d\x04\x03\x02"sv;
constexpr auto kEcdsaSha384Oid = "\x2a\x86\x48\xce\x3d\x04\x03\x03"sv;
constexpr int kPssSaltBytes = 48;
constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 4096;
constexpr unsigned long kRsaExponent = 65537;

/// AlgorithmIdentifier of SHA-384; RFC 4055 2.1 lets its parameters be NULL or absent.
Result<> TakeSha384(DerReader& in) {
  DerReader algorithm(TRY(in.Take(kDerSequence)));
  if (!SameBytes(TRY(algorithm.Take(kDerObjectId)), AsBytes(kSha384Oid)))
    return Error{ReasonCode::kEvidenceMalformed, "hash is not SHA-384"};
  if (!algorithm.AtEnd()) TRY(algorithm.Take(kDerNull));
  return algorithm.Finish();
}

Result<> TakeNumber(DerReader& in, std::uint8_t tag, int wanted) {
  DerReader wrapped(TRY(in.Take(tag)));
  const Bytes content = TRY(wrapped.Take(kDerInteger));
  if (content.size() != 1 || std::to_integer<int>(content.front()) != wanted)
    return Error{ReasonCode::kEvidenceMalformed, "number is not the profile's"};
  return wrapped.Finish();
}

/// RSASSA-PSS-params (RFC 4055 3.1): SHA-384, MGF1 with SHA-384, salt 48, trailer 1. All defaults are for
/// SHA-1, so only the trailer may be left out; AMD's roots spell it out, its leaves don't.
Result<> CheckPssParameters(Bytes algorithm_identifier) {
  DerReader outer(algorithm_identifier);
  DerReader algorithm(TRY(outer.Take(kDerSequence)));
  if (!SameBytes(TRY(algorithm.Take(kDerObjectId)), AsBytes(kRsaPssOid)))
    return Error{ReasonCode::kEvidenceMalformed, "signature is not RSASSA-PSS"};
  DerReader parameters(TRY(algorithm.Take(kDerSequence)));
  TRY(algorithm.Finish());

  DerReader hash(TRY(parameters.Take(0xA0)));
  TRY(TakeSha384(hash));
  TRY(hash.Finish());
  DerReader mask(TRY(parameters.Take(0xA1)));
  DerReader generator(TRY(mask.Take(kDerSequence)));
  if (!SameBytes(TRY(generator.Take(kDerObjectId)), AsBytes(kMgf1Oid)))
    return Error{ReasonCode::kEvidenceMalformed, "mask generation is not MGF1"};
  TRY(TakeSha384(generator));
  TRY(generator.Finish());
  TRY(mask.Finish());
  TRY(TakeNumber(parameters, 0xA2, kPssSaltBytes));
  if (!parameters.AtEnd()) TRY(TakeNumber(parameters, 0xA3, 1));
  return parameters.Finish();
}

bool IsAcceptableRsaKey(const EVP_PKEY* key) {
  if (key == nullptr || EVP_PKEY_is_a(key, "RSA") != 1) return false;
  const int bits = EVP_PKEY_get_bits(key);
  if (bits < kMinRsaBits || bits > kMaxRsaBits) return false;
  BIGNUM* raw = nullptr;
  const bool known = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &raw) == 1;
  const BignumPtr exponent(raw);
  return known && BN_is_word(exponent.get(), kRsaExponent) == 1;
}

bool VerifyPss(EVP_PKEY* key, Bytes message, Bytes signature) {
  const DigestContextPtr context(EVP_MD_CTX_new());
  Require(context != nullptr);
  EVP_PKEY_CTX* options = nullptr;  // owned by the context
  if (EVP_DigestVerifyInit(context.get(), &options, Sha384Method(), nullptr, key) != 1) return false;
  if (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) != 1) return false;
  if (EVP_PKEY_CTX_set_rsa_mgf1_md(options, Sha384Method()) != 1) return false;
  if (EVP_PKEY_CTX_set_rsa_pss_saltlen(options, kPssSaltBytes) != 1) return false;
  return EVP_DigestVerify(context.get(), Octets(signature), signature.size(), Octets(message),
                          message.size()) == 1;
}

/// The hash of an ECDSA AlgorithmIdentifier, whose parameters must be absent (RFC 5758 3.2); nullptr
/// otherwise.
const EVP_MD* EcdsaHash(Bytes algorithm_identifier) {
  DerReader outer(algorithm_identifier);
  const auto content = outer.Take(kDerSequence);
  if (!content) return nullptr;
  DerReader algorithm(*content);
  const auto object_id = algorithm.Take(kDerObjectId);
  if (!object_id || !algorithm.AtEnd()) return nullptr;
  if (SameBytes(*object_id, AsBytes(kEcdsaSha256Oid))) return Sha256Method();
  if (SameBytes(*object_id, AsBytes(kEcdsaSha384Oid))) return Sha384Method();
  return nullptr;
}

}  // namespace

bool IsSignedWithRsaPssSha384(const SignedPart& what, const Certificate::Impl& issuer) {
  if (!CheckPssParameters(what.algorithm)) return false;
  EVP_PKEY* key = X509_get0_pubkey(issuer.x509.get());
  return IsAcceptableRsaKey(key) && VerifyPss(key, what.bytes, what.signature);
}

bool IsSignedWithEcdsa(const SignedPart& what, const Certificate::Impl& issuer) {
  const EVP_MD* hash = EcdsaHash(what.algorithm);
  if (hash == nullptr || !issuer.ec_key) return false;
  return VerifyDigestSignature(issuer.ec_key->impl()->key(), hash, what.bytes, what.signature);
}

bool Certificate::IsSignedBy_RsaPssSha384(const Certificate& issuer) const {
  return SameBytes(impl_->issuer, issuer.impl_->subject) &&
         IsSignedWithRsaPssSha384({impl_->signed_part, impl_->signature_algorithm, impl_->signature},
                                  *issuer.impl_);
}

bool Certificate::IsSignedBy_Ecdsa(const Certificate& issuer) const {
  return SameBytes(impl_->issuer, issuer.impl_->subject) &&
         IsSignedWithEcdsa({impl_->signed_part, impl_->signature_algorithm, impl_->signature}, *issuer.impl_);
}

}  // namespace portcullis::crypto

#include "crypto/rsa_public_key.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include "codec/text.h"
#include "crypto/openssl.h"

namespace portcullis::crypto {

struct RsaPublicKey::Impl {
  KeyPtr key;
  unsigned bits;
};

namespace {

using BuilderPtr = std::unique_ptr<OSSL_PARAM_BLD, FreeWith<OSSL_PARAM_BLD_free>>;
using ParametersPtr = std::unique_ptr<OSSL_PARAM, FreeWith<OSSL_PARAM_free>>;

constexpr unsigned long kExponent = 65537;

Error NotAccepted(StaticText why) { return {ReasonCode::kEvidenceMalformed, why}; }

BignumPtr NumberOf(Bytes big_endian) {
  BignumPtr out(BN_bin2bn(Octets(big_endian), IntSize(big_endian.size()), nullptr));
  Require(out != nullptr);
  return out;
}

/// A number of a JWK: base64url of its shortest form (RFC 7518, 2).
Result<BignumPtr> NumberMember(codec::ObjectReader& in, std::string_view name) {
  const std::string text = TRY(in.Text(name, 1024));
  const auto bytes = codec::DecodeBase64Url(text);
  if (!bytes || bytes->empty() || bytes->front() == std::byte{0})
    return NotAccepted("a number of the key is not base64url without leading zeros").At(name);
  return NumberOf(*bytes);
}

KeyPtr KeyOf(const BIGNUM* modulus, const BIGNUM* exponent) {
  const BuilderPtr builder(OSSL_PARAM_BLD_new());
  Require(builder != nullptr && OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
          OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent) == 1);
  const ParametersPtr parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const KeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  Require(parameters != nullptr && context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1);
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) return nullptr;
  return KeyPtr(key);
}

/// Every key passes here, whatever form it came in.
Result<RsaPublicKey> Accept(const BIGNUM* modulus, const BIGNUM* exponent) {
  const auto bits = static_cast<unsigned>(BN_num_bits(modulus));
  if (bits < kMinRsaBits || bits > kMaxRsaBits || BN_is_odd(modulus) != 1)
    return NotAccepted("an RSA key must have 2048 to 4096 bits");
  if (BN_is_word(exponent, kExponent) != 1) return NotAccepted("an RSA key must have the exponent 65537");
  KeyPtr key = KeyOf(modulus, exponent);
  if (key == nullptr) return NotAccepted("not an RSA key");
  return RsaPublicKey(std::make_shared<const RsaPublicKey::Impl>(RsaPublicKey::Impl{std::move(key), bits}));
}

BignumPtr ParameterOf(const EVP_PKEY* key, const char* name) {
  BIGNUM* value = nullptr;
  Require(EVP_PKEY_get_bn_param(key, name, &value) == 1);
  return BignumPtr(value);
}

}  // namespace

Result<RsaPublicKey> RsaPublicKey::FromJwk(const codec::Json& jwk) {
  codec::ObjectReader in = TRY(codec::ObjectReader::Open(jwk, ReasonCode::kEvidenceMalformed));
  if (TRY(in.Text("kty", 16)) != "RSA") return NotAccepted("kty must be RSA");
  const BignumPtr modulus = TRY(NumberMember(in, "n"));
  const BignumPtr exponent = TRY(NumberMember(in, "e"));
  for (const char* const described : {"kid", "use", "alg", "key_ops"}) in.Optional(described);
  TRY(in.Finish());
  return Accept(modulus.get(), exponent.get());
}

Result<RsaPublicKey> RsaPublicKey::FromSpki(Bytes der) {
  constexpr std::size_t kMaxSpkiBytes = 1024;
  if (der.size() > kMaxSpkiBytes) return NotAccepted("a public key is too long");
  const unsigned char* in = Octets(der);
  const KeyPtr key(d2i_PUBKEY(nullptr, &in, static_cast<long>(der.size())));
  if (key == nullptr || in != Octets(der) + der.size() || EVP_PKEY_is_a(key.get(), "RSA") != 1)
    return NotAccepted("not the SubjectPublicKeyInfo of an RSA key");
  const BignumPtr modulus = ParameterOf(key.get(), OSSL_PKEY_PARAM_RSA_N);
  const BignumPtr exponent = ParameterOf(key.get(), OSSL_PKEY_PARAM_RSA_E);
  return Accept(modulus.get(), exponent.get());
}

unsigned RsaPublicKey::bits() const { return impl_->bits; }

bool RsaPublicKey::VerifyPkcs1Sha256(Bytes message, Bytes signature) const {
  if (signature.size() != (impl_->bits + 7) / 8) return false;
  const DigestContextPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;  // owned by `context`
  Require(context != nullptr &&
          EVP_DigestVerifyInit(context.get(), &key_context, EVP_sha256(), nullptr, impl_->key.get()) == 1 &&
          EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PADDING) == 1);
  return EVP_DigestVerify(context.get(), Octets(signature), signature.size(), Octets(message),
                          message.size()) == 1;
}

}  // namespace portcullis::crypto

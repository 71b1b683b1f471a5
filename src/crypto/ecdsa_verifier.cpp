#include "crypto/ecdsa_verifier.h"

#include "crypto/ec_key.h"
#include "crypto/ecdsa.h"

namespace portcullis::crypto {

struct EcdsaVerifier::Impl {
  EcPublicKey key;
  DigestContextPtr prepared;  // never used itself: each verification has a copy
};

EcdsaVerifier::EcdsaVerifier(const EcPublicKey& key) {
  DigestContextPtr prepared(EVP_MD_CTX_new());
  Require(prepared != nullptr);
  Require(EVP_DigestVerifyInit(prepared.get(), nullptr, key.impl()->profile.digest(), nullptr,
                               key.impl()->key()) == 1);
  impl_ = std::make_shared<const Impl>(Impl{key, std::move(prepared)});
}

const EcPublicKey& EcdsaVerifier::key() const { return impl_->key; }

bool EcdsaVerifier::Verify(Bytes message, Bytes signature) const {
  const std::size_t size = impl_->key.impl()->profile.field_bytes;
  if (signature.size() != 2 * size) return false;
  const auto der =
      EncodeEcdsaSignature(impl_->key.impl()->profile, signature.first(size), signature.last(size));
  if (!der) return false;
  const DigestContextPtr context(EVP_MD_CTX_new());
  Require(context != nullptr && EVP_MD_CTX_copy_ex(context.get(), impl_->prepared.get()) == 1);
  return EVP_DigestVerify(context.get(), Octets(der->bytes()), der->bytes().size(), Octets(message),
                          message.size()) == 1;
}

}  // namespace portcullis::crypto

#include "crypto/digest.h"
#include "crypto/ecdsa.h"
#include "crypto/jwk.h"

namespace portcullis::crypto {
namespace {

constexpr std::size_t kSeedBytes = 32;
constexpr std::size_t kSignatureBytes = 64;

KeyPtr PrivateKeyOf(const SecretBytes& seed) {
  Require(seed.size() == kSeedBytes);
  KeyPtr key(seed.Expose([](Bytes raw) {
    return EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr, Octets(raw), raw.size());
  }));
  Require(key != nullptr);
  return key;
}

}  // namespace

SecretBytes GenerateEd25519Seed() {
  SecretBytes seed(kSeedBytes);
  seed.ExposeMutable([](std::span<std::byte> out) { SystemRandom().Fill(out); });
  return seed;
}

Ed25519PublicKey Ed25519PublicOf(const SecretBytes& seed) {
  const KeyPtr key = PrivateKeyOf(seed);
  std::array<std::byte, Ed25519PublicKey::kSize> out;
  std::size_t size = out.size();
  Require(EVP_PKEY_get_raw_public_key(key.get(), Octets(std::span(out)), &size) == 1 && size == out.size());
  return Ed25519PublicKey(out);
}

ByteBuffer SignEd25519(const SecretBytes& seed, Bytes message) {
  const KeyPtr key = PrivateKeyOf(seed);
  const DigestContextPtr context(EVP_MD_CTX_new());
  Require(context != nullptr);
  Require(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1);
  ByteBuffer signature(kSignatureBytes);
  std::size_t size = signature.size();
  Require(EVP_DigestSign(context.get(), Octets(std::span(signature)), &size, Octets(message),
                         message.size()) == 1);
  Require(size == signature.size());
  return signature;
}

bool VerifyEd25519(const Ed25519PublicKey& key, Bytes message, Bytes signature) {
  if (signature.size() != kSignatureBytes) return false;
  const KeyPtr public_key(EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, Octets(key.bytes()),
                                                         Ed25519PublicKey::kSize));
  if (public_key == nullptr) return false;
  return VerifyDigestSignature(public_key.get(), nullptr, message, signature);
}

}  // namespace portcullis::crypto

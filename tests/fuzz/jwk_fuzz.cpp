#include <cstdlib>

#include "crypto/jwk.h"

using namespace portcullis;

/// Whatever is taken for a key leads back to itself by JWK and by SubjectPublicKeyInfo.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes = std::as_bytes(std::span(data, size));
  if (const auto json = codec::ParseJson(AsText(bytes))) {
    const auto key = crypto::EcPublicKey::FromJwk(*json);
    if (key && !(crypto::EcPublicKey::FromJwk(key->ToJwk()).value() == *key)) std::abort();
  }
  const auto key = crypto::EcPublicKey::FromSpki(bytes);
  if (key && !SameBytes(key->ToSpki(), bytes)) std::abort();
  (void)crypto::EcPrivateKey::FromPkcs8(SecretBytes::CopyOf(bytes));
  (void)crypto::EcPrivateKey::FromPem(SecretBytes::CopyOf(bytes));
  return 0;
}

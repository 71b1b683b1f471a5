#include <cstdlib>

#include "crypto/jose.h"

using namespace portcullis;

/// Nobody signed with this key, so nothing may verify, attached or detached.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const crypto::EcPrivateKey kKey = crypto::EcPrivateKey::Generate(crypto::Curve::kP256);
  const Bytes bytes = std::as_bytes(std::span(data, size));
  if (crypto::VerifyJws(kKey.public_key(), "", AsText(bytes))) std::abort();
  if (crypto::VerifyJws(kKey.public_key(), "fuzz+jws", AsText(bytes))) std::abort();
  if (crypto::VerifyDetachedJws(kKey.public_key(), "fuzz+jws", AsText(bytes), bytes)) std::abort();
  (void)crypto::JwsKeyId(AsText(bytes));
  return 0;
}

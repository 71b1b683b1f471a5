#include <cstdlib>

#include "crypto/jose.h"

using namespace portcullis;

/// Nobody encrypted to this key, so nothing may decrypt; and a compact text is written back as it was read.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const crypto::EcPrivateKey kKey = crypto::EcPrivateKey::Generate(crypto::Curve::kP256);
  const std::string_view text = AsText(std::as_bytes(std::span(data, size)));
  if (const auto jwe = crypto::Jwe::FromCompact(text)) {
    if (jwe->ToCompact() != text || crypto::DecryptJwe(kKey, *jwe)) std::abort();
  }
  if (const auto json = codec::ParseJson(text)) {
    const auto jwe = crypto::Jwe::FromJson(*json);
    if (jwe && (!(jwe->ToJson() == *json) || crypto::DecryptJwe(kKey, *jwe))) std::abort();
  }
  return 0;
}

#include <cstdlib>

#include "codec/text.h"
#include "keystore/secret_text.h"

/// The decoders that leave no copies agree with the ordinary ones about every text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace portcullis;  // NOLINT: the entry point stands in no namespace
  const Bytes bytes = std::as_bytes(std::span(data, size));
  const auto agree = [](const Result<SecretBytes>& secret, const Result<ByteBuffer>& plain) {
    if (secret.has_value() != plain.has_value()) return false;
    return !secret || secret->Expose([&](Bytes exposed) { return SameBytes(exposed, *plain); });
  };
  if (!agree(keystore::DecodeSecretHex(bytes), codec::DecodeHex(AsText(bytes)))) std::abort();
  if (!agree(keystore::DecodeSecretBase64(bytes), codec::DecodeBase64(AsText(bytes)))) std::abort();
  return 0;
}

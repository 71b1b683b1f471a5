#include "crypto/aead.h"

#include "crypto/gcm.h"
#include "crypto/openssl.h"

namespace portcullis::crypto {

ByteBuffer SealAes256Gcm(const SecretBytes& key, Bytes plaintext, Bytes aad, Random& random) {
  ByteBuffer sealed(kGcmNonceBytes + plaintext.size() + kGcmTagBytes);
  const std::span<std::byte> out(sealed);
  const auto nonce = out.first(kGcmNonceBytes);
  random.Fill(nonce);
  key.Expose([&](Bytes raw) {
    EncryptGcm(raw, nonce, aad, plaintext, out.subspan(kGcmNonceBytes, plaintext.size()),
               out.last(kGcmTagBytes));
  });
  return sealed;
}

Result<SecretBytes> OpenAes256Gcm(const SecretBytes& key, Bytes sealed, Bytes aad) {
  if (key.size() != kGcmKeyBytes) return Error{ReasonCode::kRequestMalformed, "an AES-256 key is 32 bytes"};
  if (sealed.size() < kGcmNonceBytes + kGcmTagBytes)
    return Error{ReasonCode::kRequestMalformed, "sealed bytes are too short"};
  const Bytes ciphertext = sealed.subspan(kGcmNonceBytes, sealed.size() - kGcmNonceBytes - kGcmTagBytes);
  SecretBytes plaintext(ciphertext.size());
  const bool authentic = key.Expose([&](Bytes raw) {
    return plaintext.ExposeMutable([&](std::span<std::byte> out) {
      return DecryptGcm(raw, sealed.first(kGcmNonceBytes), aad, ciphertext, sealed.last(kGcmTagBytes), out);
    });
  });
  if (!authentic) return Error{ReasonCode::kRequestMalformed, "sealed bytes do not authenticate"};
  return plaintext;
}

}  // namespace portcullis::crypto

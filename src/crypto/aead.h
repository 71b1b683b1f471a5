#pragma once

#include "base/bytes.h"
#include "base/random.h"
#include "base/secret_bytes.h"

namespace portcullis::crypto {

/// AES-256-GCM, 96-bit random nonce in front, 128-bit tag behind: nonce || ciphertext || tag. Key of 32
/// bytes.
ByteBuffer SealAes256Gcm(const SecretBytes& key, Bytes plaintext, Bytes aad, Random& random);
/// The plaintext. Error: `RequestMalformed` where it is too short or does not authenticate.
Result<SecretBytes> OpenAes256Gcm(const SecretBytes& key, Bytes sealed, Bytes aad);

}  // namespace portcullis::crypto

#pragma once

#include <span>

#include "base/bytes.h"

namespace portcullis::crypto {

inline constexpr std::size_t kGcmKeyBytes = 32;
inline constexpr std::size_t kGcmNonceBytes = 12;
inline constexpr std::size_t kGcmTagBytes = 16;

/// AES-256-GCM on raw bytes: `key` of 32, `nonce` of 12, `tag` of 16 bytes; the texts have one length.
/// For aead.cpp and jwe.cpp; everybody else wants SealAes256Gcm.
void EncryptGcm(Bytes key, Bytes nonce, Bytes aad, Bytes plaintext, std::span<std::byte> ciphertext,
                std::span<std::byte> tag);
/// False where the tag does not fit; `plaintext` is then wiped.
bool DecryptGcm(Bytes key, Bytes nonce, Bytes aad, Bytes ciphertext, Bytes tag,
                std::span<std::byte> plaintext);

}  // namespace portcullis::crypto

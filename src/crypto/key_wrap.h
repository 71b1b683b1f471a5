#pragma once

#include "base/secret_bytes.h"
#include "crypto/ec_key.h"

namespace portcullis::crypto {

inline constexpr std::size_t kKeyEncryptionKeyBytes = 32;
inline constexpr std::size_t kContentKeyBytes = 32;
inline constexpr std::size_t kWrappedKeyBytes = kContentKeyBytes + 8;

/// The key-encryption key of ECDH-ES+A256KW between two EC keys (RFC 7518 4.6.2; no PartyUInfo, no
/// PartyVInfo).
SecretBytes DeriveKeyEncryptionKey(const EcPrivateKey& own, const EcPublicKey& peer);

/// AES-256 key wrap (RFC 3394) of a 32-byte key.
std::array<std::byte, kWrappedKeyBytes> WrapKey(const SecretBytes& kek, const SecretBytes& key);
/// Error: KeyUnavailable where the integrity check fails.
Result<SecretBytes> UnwrapKey(const SecretBytes& kek, Bytes wrapped);

}  // namespace portcullis::crypto

#pragma once

#include <array>
#include <optional>

#include "crypto/curve.h"
#include "crypto/openssl.h"

namespace portcullis::crypto {

/// An ECDSA-Sig-Value (RFC 3279 2.2.3) as OpenSSL wants it.
struct EcdsaSignatureDer {
  std::array<std::byte, 160> buffer;  // two INTEGERs of 67 bytes at most, and their headers
  std::size_t size;

  Bytes bytes() const { return Bytes(buffer).first(size); }
};
/// Of r and s, big-endian, of at most the field's length; nullopt where one is outside [1, n-1].
std::optional<EcdsaSignatureDer> EncodeEcdsaSignature(const CurveProfile& profile, Bytes r, Bytes s);

/// ECDSA with the curve's own hash; r and s big-endian, of at most the field's length, each in [1, n-1].
bool VerifyEcdsaParts(const EcPublicKey& key, Bytes message, Bytes r, Bytes s);

/// One signature check through EVP; false for anything but a match.
bool VerifyDigestSignature(EVP_PKEY* key, const EVP_MD* method, Bytes message, Bytes signature);

}  // namespace portcullis::crypto

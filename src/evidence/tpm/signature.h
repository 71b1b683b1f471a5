#pragma once

#include <variant>

#include "crypto/jwk.h"
#include "crypto/rsa_public_key.h"

namespace portcullis::tpm {

inline constexpr std::size_t kMaxSignatureBytes = 520;  // RSA-4096 and the header of a TPMT_SIGNATURE

/// RSASSA-PKCS1-v1_5 with SHA-256.
struct RsaSignature {
  ByteBuffer bytes;
};
/// r and s, big-endian, as long as the TPM wrote them. The hash is that of the curve: SHA-256 for P-256,
/// SHA-384 for P-384.
struct EcdsaSignature {
  crypto::Curve curve;
  ByteBuffer r, s;
};
using Signature = std::variant<RsaSignature, EcdsaSignature>;

/// Parses a marshalled TPMT_SIGNATURE (TPM 2.0 Library, part 2, 11.3.4): RSASSA with SHA-256, ECDSA with
/// SHA-256 or SHA-384, up to its last byte. SHA-1 and anything else is refused. Error: EvidenceMalformed.
Result<Signature> ParseSignature(Bytes bytes);

/// The public part of a key that a TPM attests with.
using AttestationKey = std::variant<crypto::RsaPublicKey, crypto::EcPublicKey>;

/// Whether `signature` is of `message` under `key`; false where they are of different kinds too.
bool IsSignedBy(Bytes message, const Signature& signature, const AttestationKey& key);

}  // namespace portcullis::tpm

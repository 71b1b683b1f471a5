#pragma once

#include "crypto/curve.h"
#include "crypto/openssl.h"

namespace portcullis::crypto {

/// ECDSA with the curve's own hash; r and s big-endian, of at most the field's length, each in [1, n-1].
bool VerifyEcdsaParts(const EcPublicKey& key, Bytes message, Bytes r, Bytes s);

/// One signature check through EVP; false for anything but a match.
bool VerifyDigestSignature(EVP_PKEY* key, const EVP_MD* method, Bytes message, Bytes signature);

}  // namespace portcullis::crypto

#pragma once

#include "crypto/curve.h"
#include "crypto/jwk.h"
#include "crypto/openssl.h"

namespace portcullis::crypto {

// What jwk.h hides: OpenSSL's keys.
struct EcPublicKey::Impl {
  const CurveProfile& profile;
  ByteBuffer point;  // x || y, each of the field's length
  KeyPtr key;
};

struct EcPrivateKey::Impl {
  KeyPtr key;
  EcPublicKey public_key;
};

/// An EVP key of the curve's group and nothing else.
KeyPtr NewKeyOn(const CurveProfile& profile);

/// The key of the point x || y. Error: TeeKeyNotAccepted where it is not on the curve.
Result<EcPublicKey> PublicKeyOf(const CurveProfile& profile, Bytes point);

/// ECDH (SEC 1, 3.3.1): the x coordinate, of the field's length. The keys must be on one curve.
SecretBytes SharedSecret(const EcPrivateKey& own, const EcPublicKey& peer);

}  // namespace portcullis::crypto

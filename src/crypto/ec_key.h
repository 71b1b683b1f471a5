#pragma once

#include <mutex>

#include "crypto/curve.h"
#include "crypto/jwk.h"
#include "crypto/openssl.h"

namespace portcullis::crypto {

// What jwk.h hides: OpenSSL's keys.
struct EcPublicKey::Impl {
  /// `point` must be on the curve; without `its_key` it is imported when first asked for, if ever.
  Impl(const CurveProfile& its_profile, Bytes its_point, KeyPtr its_key = nullptr)
      : profile(its_profile), point(ToBuffer(its_point)), key_(std::move(its_key)) {}

  const CurveProfile& profile;
  const ByteBuffer point;  // x || y, each of the field's length
  EVP_PKEY* key() const;
  const std::string& Thumbprint() const;

 private:
  mutable std::once_flag imported_, hashed_;
  mutable KeyPtr key_;
  mutable std::string thumbprint_;
};

struct EcPrivateKey::Impl {
  KeyPtr key;
  EcPublicKey public_key;
};

/// What makes new keys on the curve.
KeyContextPtr GeneratorOn(const CurveProfile& profile);

/// The key of the point x || y. Error: TeeKeyNotAccepted where it is not on the curve.
Result<EcPublicKey> PublicKeyOf(const CurveProfile& profile, Bytes point);

/// ECDH (SEC 1, 3.3.1): the x coordinate, of the field's length. The keys must be on one curve.
SecretBytes SharedSecret(const EcPrivateKey& own, const EcPublicKey& peer);

}  // namespace portcullis::crypto

#pragma once

#include <memory>

#include "base/bytes.h"
#include "codec/json.h"

namespace portcullis::crypto {

inline constexpr unsigned kMinRsaBits = 2048, kMaxRsaBits = 4096;

/// A public RSA key of kMinRsaBits to kMaxRsaBits with the exponent 65537. Immutable, thread-safe, cheap to
/// copy.
class RsaPublicKey {
 public:
  /// RFC 7517/7518 JWK with kty RSA, n and e without leading zeros; `kid`, `use`, `alg` and `key_ops` are
  /// allowed, any other member, a private one above all, is refused. Error: EvidenceMalformed.
  static Result<RsaPublicKey> FromJwk(const codec::Json& jwk);
  /// SubjectPublicKeyInfo DER. Error: EvidenceMalformed.
  static Result<RsaPublicKey> FromSpki(Bytes der);

  unsigned bits() const;
  /// RSASSA-PKCS1-v1_5 with SHA-256 over `message`; the signature must have the modulus's length.
  bool VerifyPkcs1Sha256(Bytes message, Bytes signature) const;

  struct Impl;
  explicit RsaPublicKey(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<const Impl> impl_;
};

}  // namespace portcullis::crypto

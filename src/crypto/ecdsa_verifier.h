#pragma once

#include <memory>

#include "crypto/jwk.h"

namespace portcullis::crypto {

/// An EC key made ready to verify many signatures: what OpenSSL looks up for a key is looked up once, which
/// is a fifteenth of a P-256 verification. Immutable, cheap to copy, thread-safe.
class EcdsaVerifier {
 public:
  explicit EcdsaVerifier(const EcPublicKey& key);

  const EcPublicKey& key() const;
  /// As VerifyEcdsa() with this key: the curve's own hash, raw r || s, false for any defect.
  bool Verify(Bytes message, Bytes signature) const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace portcullis::crypto

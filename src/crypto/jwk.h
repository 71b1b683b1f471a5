#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/secret_bytes.h"
#include "codec/json.h"

namespace portcullis::crypto {

enum class Curve : std::uint8_t { kP256, kP384, kP521 };
std::string_view NameOf(Curve curve);  // "P-256", ...

/// The JWE algorithm that EC keys are for here, and what a JWK's `alg` says for it.
inline constexpr std::string_view kKeyAgreementAlgorithm = "ECDH-ES+A256KW";

/// What a JWK will be used for; its `use`, `alg` and `key_ops`, where there, must agree (hazards J4, J25).
enum class KeyUse : std::uint8_t { kAny, kEncryption, kSignature };

/// A public EC key on a named curve; its point is on the curve. Immutable, cheap to copy, thread-safe.
class EcPublicKey {
 public:
  /// RFC 7517/7518 JWK with kty EC: crv, x, y required, coordinates of exactly the field's length; `alg`,
  /// `use`, `kid`, `key_ops` are allowed and held against `use`; any other member, a private one above all,
  /// is refused (hazards J16, J17). Error: TeeKeyNotAccepted.
  static Result<EcPublicKey> FromJwk(const codec::Json& jwk, KeyUse use = KeyUse::kAny);
  /// SubjectPublicKeyInfo DER with a named curve. Error: TeeKeyNotAccepted.
  static Result<EcPublicKey> FromSpki(Bytes der);

  Curve curve() const;
  /// {"crv","kty","x","y"}: exactly the members of RFC 7638.
  codec::Json ToJwk() const;
  ByteBuffer ToSpki() const;
  /// RFC 7638 SHA-256 thumbprint of the parsed key, base64url.
  std::string Thumbprint() const;
  bool operator==(const EcPublicKey& other) const;

  struct Impl;  // OpenSSL's key; crypto/*.cpp only
  const std::shared_ptr<const Impl>& impl() const { return impl_; }
  explicit EcPublicKey(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<const Impl> impl_;
};

/// A private EC key. Moves only.
class EcPrivateKey {
 public:
  static EcPrivateKey Generate(Curve curve);
  /// PKCS#8 DER ("PRIVATE KEY" in PEM). Error: RequestMalformed.
  static Result<EcPrivateKey> FromPkcs8(const SecretBytes& der);
  static Result<EcPrivateKey> FromPem(const SecretBytes& pem);
  SecretBytes ToPkcs8() const;
  SecretBytes ToPem() const;
  const EcPublicKey& public_key() const;

  ~EcPrivateKey();
  EcPrivateKey(EcPrivateKey&&) noexcept;
  EcPrivateKey& operator=(EcPrivateKey&&) noexcept;
  struct Impl;
  const Impl& impl() const { return *impl_; }

 private:
  explicit EcPrivateKey(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// ECDSA with the curve's own hash (ES256, ES384, ES512), signature as raw r || s (RFC 7518 3.4).
ByteBuffer SignEcdsa(const EcPrivateKey& key, Bytes message);
/// False for any defect: wrong length, r or s zero or out of range, other key or message.
bool VerifyEcdsa(const EcPublicKey& key, Bytes message, Bytes signature);

/// Ed25519, for the audit log's signed notes. Seed and public key of 32 bytes, signature of 64.
using Ed25519PublicKey = FixedBytes<struct Ed25519PublicTag, 32>;
SecretBytes GenerateEd25519Seed();
Ed25519PublicKey Ed25519PublicOf(const SecretBytes& seed);
ByteBuffer SignEd25519(const SecretBytes& seed, Bytes message);
bool VerifyEd25519(const Ed25519PublicKey& key, Bytes message, Bytes signature);

}  // namespace portcullis::crypto

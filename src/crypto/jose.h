#pragma once

#include <string>

#include "base/random.h"
#include "crypto/jwk.h"

namespace portcullis::crypto {

/// What is read, a part at a time or as one compact text. A plaintext above some 47 KiB makes a JWE that is
/// longer.
inline constexpr std::size_t kMaxJoseBytes = 64 * 1024;

/// A JWE (RFC 7516) of ECDH-ES+A256KW and A256GCM, the only algorithms here. `protected_text` is the
/// base64url text as made or received: it is the AAD.
struct Jwe {
  std::string protected_text, encrypted_key, iv, ciphertext, tag;  // all base64url without padding

  /// Flattened JSON serialisation: protected, encrypted_key, iv, ciphertext, tag.
  codec::Json ToJson() const;
  static Result<Jwe> FromJson(const codec::Json& value);
  std::string ToCompact() const;
  static Result<Jwe> FromCompact(std::string_view text);
  /// The decoded protected header.
  Result<codec::Json> Header() const;
};

/// Encrypts to an EC key. The header is alg, enc, then epk and the members of `extra` sorted by name,
/// compact, without escapes (kbs-protocol.md 1.6: CoCo clients re-serialise it to get the AAD); no apu or
/// apv.
Jwe EncryptJwe(const EcPublicKey& recipient, const SecretBytes& plaintext, Random& random,
               const codec::JsonObject& extra = {});
/// The plaintext. Refuses any other alg or enc, zip, crit, apu/apv, an epk off the curve or on another curve,
/// wrong sizes, tampering. Error: KeyUnavailable.
Result<SecretBytes> DecryptJwe(const EcPrivateKey& recipient, const Jwe& jwe);

/// Compact JWS (RFC 7515) under an EC key: header {"alg":"ES256","kid":thumbprint,"typ":typ}; an empty `typ`
/// means that there is none. The payload must not be empty.
std::string SignJws(const EcPrivateKey& key, std::string_view typ, Bytes payload);
/// The payload's bytes. The alg must be the key's own, typ equal (RFC 8725); crit, b64, jku, jwk, x5u, x5c
/// are refused; kid, where there, must be the key's thumbprint. Error: SignatureInvalid.
Result<ByteBuffer> VerifyJws(const EcPublicKey& key, std::string_view typ, std::string_view compact);

/// Detached JWS ("header..signature", RFC 7515 appendix F) over `payload`.
std::string SignDetachedJws(const EcPrivateKey& key, std::string_view typ, Bytes payload);
Result<> VerifyDetachedJws(const EcPublicKey& key, std::string_view typ, std::string_view compact,
                           Bytes payload);
/// The kid of a compact JWS's header, unverified: to choose among pinned keys, never to fetch one.
Result<std::string> JwsKeyId(std::string_view compact);

}  // namespace portcullis::crypto

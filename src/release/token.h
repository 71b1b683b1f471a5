#pragma once

#include <string>

#include "base/clock.h"
#include "crypto/jwk.h"
#include "release/records.h"

namespace portcullis::release {

inline constexpr std::chrono::minutes kTokenLifetime{5};

/// What a token says; the guest's proof towards GET resource and whoever else trusts this broker.
struct TokenClaims {
  std::string release_id, evidence_digest;
  std::string token_id;  // jti
};

/// An EAR (draft-ietf-rats-ear) as a JWT under ES256: as Confidential Containers clients read it
/// (kbs-protocol.md section 3), plus aud, sub, jti and cnf; `claims` stand under the name of the `tee`. No
/// raw evidence.
std::string IssueToken(const crypto::EcPrivateKey& signing, const Release& release,
                       const crypto::EcPublicKey& tee_key, std::string_view tee, const codec::Json& claims,
                       std::string_view nonce_text, std::string token_id, WallTime now);

/// Errors: SignatureInvalid (not ours, altered, wrong issuer or audience), ChallengeExpired (past exp).
Result<TokenClaims> VerifyToken(const crypto::EcPublicKey& signing, std::string_view token, WallTime now);

}  // namespace portcullis::release

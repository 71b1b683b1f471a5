#include "release/token.h"

#include "crypto/jose.h"

namespace portcullis::release {
namespace {

using codec::Json;

constexpr std::string_view kIssuer = "portcullis";
constexpr std::string_view kAudience = "portcullis-kbs";
constexpr std::size_t kMaxTokenBytes = 16 * 1024;

std::int64_t SecondsOf(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

}  // namespace

std::string IssueToken(const crypto::EcPrivateKey& signing, const Release& release,
                       const crypto::EcPublicKey& tee_key, const Json& claims, std::string_view nonce_text,
                       std::string token_id, WallTime now) {
  Json tee_jwk = tee_key.ToJwk();
  tee_jwk.Set("alg", "ECDH-ES+A256KW");
  const Json evidence =
      Json::Object({{std::string(release.decision.TextAt({"tee"})), claims},
                    {"runtime_data_claims", Json::Object({{"nonce", nonce_text}, {"tee-pubkey", tee_jwk}})},
                    {"init_data", crypto::DigestText(release.registration.init_data_digest)}});
  const Json payload = Json::Object(
      {{"eat_profile", "tag:github.com,2024:confidential-containers/Trustee"},
       {"iss", kIssuer},
       {"aud", kAudience},
       {"sub", release.registration.id},
       {"jti", std::move(token_id)},
       {"iat", SecondsOf(now)},
       {"exp", SecondsOf(now + kTokenLifetime)},
       {"cnf", Json::Object({{"jwk", tee_jwk}})},
       {"ear.verifier-id", Json::Object({{"developer", "https://portcullis.dev"}, {"build", "portcullis"}})},
       {"evidence_digest", release.evidence_digest},
       {"policy_digest", release.policy_digest},
       {"submods", Json::Object({{"cpu0", Json::Object({{"ear.status", "affirming"},
                                                        {"ear.trustworthiness-vector",
                                                         Json::Object({{"instance-identity", 2},
                                                                       {"configuration", 2},
                                                                       {"executables", 3},
                                                                       {"hardware", 2}})},
                                                        {"ear.appraisal-policy-id", release.policy_digest},
                                                        {"ear.veraison.annotated-evidence", evidence}})}})}});
  return crypto::SignJws(signing, "JWT", AsBytes(codec::ToText(payload)));
}

Result<TokenClaims> VerifyToken(const crypto::EcPublicKey& signing, std::string_view token, WallTime now) {
  if (token.size() > kMaxTokenBytes) return Error{ReasonCode::kSignatureInvalid, "the token is over 16 KiB"};
  const ByteBuffer payload = TRY(crypto::VerifyJws(signing, "JWT", token));
  const Json value = TRY(codec::ParseJson(AsText(payload)));
  if (value.TextAt({"iss"}) != kIssuer || value.TextAt({"aud"}) != kAudience)
    return Error{ReasonCode::kSignatureInvalid, "the token is of another issuer or for another audience"};
  const Json* expiry = value.Find("exp");
  const auto expires = expiry == nullptr ? std::nullopt : expiry->if_int64();
  if (!expires || SecondsOf(now) > *expires)
    return Error{ReasonCode::kChallengeExpired, "the token is past its lifetime"};
  return TokenClaims{std::string(value.TextAt({"sub"})), std::string(value.TextAt({"evidence_digest"})),
                     std::string(value.TextAt({"jti"}))};
}

}  // namespace portcullis::release

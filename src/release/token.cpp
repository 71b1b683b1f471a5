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
                       const crypto::EcPublicKey& tee_key, std::string_view tee, const Json& claims,
                       std::string_view nonce_text, std::string token_id, WallTime now) {
  Json tee_jwk = tee_key.ToJwk();
  tee_jwk.Set("alg", "ECDH-ES+A256KW");
  codec::JsonWriter out;
  out.BeginObject();
  out.Member("eat_profile", "tag:github.com,2024:confidential-containers/Trustee");
  out.Member("iss", kIssuer).Member("aud", kAudience).Member("sub", release.registration.id);
  out.Member("jti", token_id);
  out.Name("iat").Value(SecondsOf(now)).Name("exp").Value(SecondsOf(now + kTokenLifetime));
  out.Name("cnf").BeginObject().Name("jwk").Value(tee_jwk).EndObject();
  out.Name("ear.verifier-id").BeginObject();
  out.Member("developer", "https://portcullis.dev").Member("build", "portcullis").EndObject();
  out.Member("evidence_digest", release.evidence_digest).Member("policy_digest", release.policy_digest);
  out.Name("submods").BeginObject().Name("cpu0").BeginObject().Member("ear.status", "affirming");
  out.Name("ear.trustworthiness-vector");
  out.Value(
      Json::Object({{"instance-identity", 2}, {"configuration", 2}, {"executables", 3}, {"hardware", 2}}));
  out.Member("ear.appraisal-policy-id", release.policy_digest);
  out.Name("ear.veraison.annotated-evidence").BeginObject().Name(tee).Value(claims);
  out.Name("runtime_data_claims").BeginObject();
  out.Member("nonce", nonce_text).Name("tee-pubkey").Value(tee_jwk).EndObject();
  out.Member("init_data", crypto::DigestText(release.registration.init_data_digest));
  out.EndObject().EndObject().EndObject().EndObject();  // evidence, cpu0, submods, all
  const std::string payload = std::move(out).Take();
  return crypto::SignJws(signing, "JWT", AsBytes(payload));
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

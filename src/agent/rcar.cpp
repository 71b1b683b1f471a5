#include "agent/rcar.h"

#include <algorithm>

#include "codec/text.h"
#include "crypto/digest.h"
#include "crypto/jose.h"

namespace portcullis::agent {
namespace {

using codec::Json;

constexpr std::size_t kMaxAnswerBytes = 1u << 20;

/// What a non-200 answer says, as far as it is one of our broker's.
Error RefusalFrom(const http::Response& response, std::optional<Refusal>& refusal) {
  const auto body = codec::ParseJson(response.body, {.max_bytes = kMaxAnswerBytes, .max_depth = 16});
  const auto code = body ? ReasonNamed(body->TextAt({"code"})) : std::nullopt;
  if (!code) {
    const bool retry = response.status >= 500 || response.status == 429;
    return {retry ? ReasonCode::kUnreachable : ReasonCode::kRequestMalformed,
            "the broker gave an answer without a reason", "status " + std::to_string(response.status)};
  }
  Refusal said{*code, {}, std::string(body->TextAt({"requestId"})), false};
  if (const Json* retryable = body->Find("retryable");
      retryable != nullptr && retryable->if_bool() != nullptr)
    said.retryable = *retryable->if_bool();
  if (const Json* reasons = body->Find("reasons"); reasons != nullptr && reasons->if_array() != nullptr)
    for (const Json& reason : *reasons->if_array())
      // Known words only: what is printed and logged is our own vocabulary.
      if (reason.if_string() != nullptr && ReasonNamed(*reason.if_string()))
        said.reasons.push_back(*reason.if_string());
  refusal = std::move(said);
  return {*code, "the broker refused"};
}

std::string CookieOf(const http::Response& response) {
  const std::string* header = response.headers.Find("Set-Cookie");
  if (header == nullptr) return "";
  return header->substr(0, header->find(';'));
}

http::Headers JsonHeaders(const std::string& cookie) {
  http::Headers headers;
  headers.Set("Content-Type", "application/json");
  if (!cookie.empty()) headers.Set("Cookie", cookie);
  return headers;
}

Json TeeJwk(const crypto::EcPrivateKey& key) {
  Json jwk = key.public_key().ToJwk();
  jwk.Set("alg", "ECDH-ES+A256KW");
  return jwk;
}

}  // namespace

ReportData ReportDataFor(std::string_view nonce, const Json& tee_pubkey) {
  const std::string runtime_data = codec::ToCanonicalText(
      Json::Object({{"additional-evidence", ""}, {"nonce", nonce}, {"tee-pubkey", tee_pubkey}}));
  const auto digest = crypto::Sha384(AsBytes(runtime_data));
  std::array<std::byte, ReportData::kSize> padded{};
  std::ranges::copy(digest.array(), padded.begin());
  return ReportData(padded);
}

Result<RcarClient::Session> RcarClient::Authenticate(std::optional<Refusal>& refusal) {
  const Json request =
      Json::Object({{"version", "0.4.0"},
                    {"tee", tee_.name()},
                    {"extra-params", Json::Object({{"portcullis-release", broker_.release_id}})}});
  const auto response = TRY(client_.Send("POST", "/kbs/v0/auth", JsonHeaders(""), codec::ToText(request)));
  if (response.status != 200) return RefusalFrom(response, refusal);
  const Json challenge = TRY(codec::ParseJson(response.body, {.max_bytes = kMaxAnswerBytes, .max_depth = 8}));
  Session session{std::string(challenge.TextAt({"nonce"})), CookieOf(response)};
  if (session.nonce.empty() || session.cookie.empty())
    return Error{ReasonCode::kRequestMalformed, "the challenge has no nonce or no session cookie"};
  return session;
}

Result<SecretBytes> RcarClient::Attest(std::optional<Refusal>& refusal) {
  refusal.reset();
  const Session session = TRY(Authenticate(refusal));
  const Json jwk = TeeJwk(tee_key_);
  const Json evidence = TRY(tee_.Evidence(ReportDataFor(session.nonce, jwk)));
  const Json request = Json::Object(
      {{"init-data", Json::Object({{"format", "toml"}, {"body", broker_.init_data.text}})},
       {"runtime-data", Json::Object({{"nonce", session.nonce}, {"tee-pubkey", jwk}})},
       {"tee-evidence", Json::Object({{"primary_evidence", evidence}, {"additional_evidence", ""}})}});
  const auto response =
      TRY(client_.Send("POST", "/kbs/v0/attest", JsonHeaders(session.cookie), codec::ToText(request)));
  if (response.status != 200) return RefusalFrom(response, refusal);
  const Json reply = TRY(codec::ParseJson(response.body, {.max_bytes = kMaxAnswerBytes, .max_depth = 32}));
  return Unseal(reply, session.nonce);
}

Result<SecretBytes> RcarClient::Unseal(const Json& reply, const std::string& nonce) const {
  const ByteBuffer payload = TRY(crypto::VerifyJws(broker_.signing_key, "JWT", reply.TextAt({"token"})));
  const Json token = TRY(codec::ParseJson(AsText(payload)));
  const std::string_view attested_nonce =
      token.TextAt({"submods", "cpu0", "ear.veraison.annotated-evidence", "runtime_data_claims", "nonce"});
  if (token.TextAt({"sub"}) != broker_.release_id || attested_nonce != nonce)
    return Error{ReasonCode::kSignatureInvalid, "the token is not for this release and challenge"};

  const Json* sealed = reply.At({"release", "jwe"});
  if (sealed == nullptr)
    return Error{ReasonCode::kRequestMalformed, "the answer holds no sealed key", "release.jwe"};
  const crypto::Jwe jwe = TRY(crypto::Jwe::FromJson(*sealed));
  const Json header = TRY(jwe.Header());
  if (header.TextAt({"release"}) != broker_.release_id || header.TextAt({"resource"}) != broker_.resource)
    return Error{ReasonCode::kSignatureInvalid, "the sealed key is of another release or resource"};
  return crypto::DecryptJwe(tee_key_, jwe);
}

}  // namespace portcullis::agent

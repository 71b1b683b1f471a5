#include <algorithm>

#include "codec/json.h"
#include "kbs/routes/routes.h"
#include "release/token.h"

namespace portcullis::kbs {
namespace {

using codec::Json;
using http::Request;
using http::Response;

constexpr std::string_view kErrorTypes = "https://github.com/confidential-containers/kbs/errors/";
constexpr std::string_view kCookieName = "kbs-session-id";

/// The error variants that clients of the protocol know (kbs-protocol.md 1.5).
std::string_view VariantFor(ReasonCode code, int status) {
  if (status == 403) return "PolicyDeny";
  if (status == 404 || status == 405) return "PluginNotFound";
  if (code == ReasonCode::kUnauthorized) return "TokenNotFound";
  if (code == ReasonCode::kSignatureInvalid) return "TokenVerifierError";
  return "AttestationError";
}

Response GuestError(int status, const Error& error, const std::vector<ReasonCode>& reasons,
                    std::string_view request_id) {
  codec::JsonArray names;
  for (const ReasonCode reason : reasons) names.push_back(NameOf(reason));
  std::string detail(error.text.view());
  // One sentence, which clients of the protocol search for (kbs-protocol.md 1.1).
  if (error.code == ReasonCode::kProtocolVersionUnsupported)
    detail += " " + error.where;
  else if (!error.where.empty())
    detail += " (" + error.where + ")";
  const bool retryable =
      !reasons.empty() && std::ranges::all_of(reasons, [](ReasonCode r) { return ReasonFor(r).retryable; });
  Response response = Response::JsonBody(
      status, Json::Object({{"type", std::string(kErrorTypes) + std::string(VariantFor(error.code, status))},
                            {"detail", detail + "; " + std::string(ReasonFor(error.code).remedy)},
                            {"code", NameOf(error.code)},
                            {"reasons", names},
                            {"retryable", retryable},
                            {"requestId", request_id}}));
  if (status == 503 || status == 429) response.headers.Set("Retry-After", "1");
  return response;
}

/// 401 where attesting again can help and, at auth and attest, for malformed requests (old clients read only
/// that).
int GuestStatus(ReasonCode code) {
  switch (code) {
    case ReasonCode::kAuditUnavailable:
    case ReasonCode::kOverloaded:
      return 503;
    case ReasonCode::kInternalError:
      return 500;
    case ReasonCode::kForbidden:
    case ReasonCode::kRevoked:
    case ReasonCode::kReleaseExpired:
      return 403;
    case ReasonCode::kNotFound:
      return 404;
    default:
      return 401;
  }
}

Response Refuse(const Error& error, const Request& request) {
  return GuestError(GuestStatus(error.code), error, {error.code}, request.id);
}

/// The value of our cookie among those sent; "" where there is none.
std::string_view SessionCookie(const Request& request) {
  const std::string* header = request.headers.Find("Cookie");
  std::string_view rest = header == nullptr ? std::string_view() : *header;
  while (!rest.empty()) {
    const auto end = rest.find(';');
    std::string_view pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    if (pair.starts_with(kCookieName) && pair.substr(kCookieName.size()).starts_with('='))
      return pair.substr(kCookieName.size() + 1);
  }
  return "";
}

std::string CookieText(const std::string& value, std::chrono::seconds lifetime) {
  return std::string(kCookieName) + "=" + value + "; Max-Age=" + std::to_string(lifetime.count()) +
         "; Path=/kbs/v0; HttpOnly; Secure; SameSite=Strict";
}

Response Auth(release::Broker& broker, const Request& request) {
  const auto reply = broker.Authenticate(request.body);
  if (!reply) return Refuse(reply.error(), request);
  Response response =
      Response::JsonBody(200, Json::Object({{"nonce", reply->nonce_text}, {"extra-params", ""}}));
  response.headers.Add("Set-Cookie", CookieText(reply->cookie, release::kChallengeLifetime));
  return response;
}

Response Attest(release::Broker& broker, const Request& request) {
  const auto reply = broker.Attest(request.id, SessionCookie(request), request.body);
  if (!reply) return Refuse(reply.error(), request);
  if (!reply->allowed) {
    const ReasonCode first = reply->reasons.empty() ? ReasonCode::kInternalError : reply->reasons.front();
    const bool again =
        std::ranges::all_of(reply->reasons, [](ReasonCode r) { return ReasonFor(r).retryable; });
    return GuestError(again ? 401 : 403, {first, "the attestation was denied"}, reply->reasons, request.id);
  }
  Response response =
      Response::JsonBody(200, Json::Object({{"token", reply->token}, {"release", reply->release}}));
  response.headers.Add("Set-Cookie", CookieText(reply->session_cookie, release::kTokenLifetime));
  return response;
}

Response GetResource(release::Broker& broker, const Request& request) {
  constexpr std::string_view kBearer = "Bearer ";
  const std::string* authorization = request.headers.Find("Authorization");
  std::string_view token;
  if (authorization != nullptr && authorization->starts_with(kBearer))
    token = std::string_view(*authorization).substr(kBearer.size());
  const std::string resource =
      request.captures.at("ns") + "/" + request.captures.at("type") + "/" + request.captures.at("tag");
  const auto jwe = broker.Resource(token, SessionCookie(request), resource);
  if (!jwe) return Refuse(jwe.error(), request);
  return Response::JsonBody(200, *jwe);
}

}  // namespace

http::Router GuestRoutes(release::Broker& broker) {
  http::Router router;
  router.set_error_writer([](int status, const Error& error, std::string_view request_id) {
    return GuestError(status, error, {error.code}, request_id);
  });
  router.Add("POST", "/kbs/v0/auth", [&broker](const Request& request) { return Auth(broker, request); });
  router.Add("POST", "/kbs/v0/attest", [&broker](const Request& request) { return Attest(broker, request); });
  router.Add("GET", "/kbs/v0/resource/{ns}/{type}/{tag}",
             [&broker](const Request& request) { return GetResource(broker, request); });
  router.Add("GET", "/healthz", [](const Request&) { return Response::Text(200, "ok\n"); });
  return router;
}

}  // namespace portcullis::kbs

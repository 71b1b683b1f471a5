#include "kube/status.h"

#include <charconv>

#include "http/client.h"

namespace portcullis::kube {
namespace {

Error ConflictError(std::string_view reason) {
  if (reason == kAlreadyExists)
    return {ReasonCode::kConflict, "an object of this name exists", std::string(kAlreadyExists)};
  return {ReasonCode::kConflict, "the object was changed by someone else", std::string(kConflict)};
}

Error NotFoundError(const codec::Json& status, std::string message) {
  if (status.TextAt({"details", "name"}).empty())
    return {ReasonCode::kUnreachable, "the API server does not serve this kind", std::move(message)};
  return {ReasonCode::kNotFound, "no such object", std::move(message)};
}

}  // namespace

Error ErrorFor(int http_status, const codec::Json& status) {
  const std::string_view reason = status.TextAt({"reason"});
  std::string message = Quoted(status.TextAt({"message"}));
  switch (http_status) {
    case 401:
      return {ReasonCode::kUnauthorized, "the API server does not accept the credentials"};
    case 403:
      return {ReasonCode::kForbidden, "the API server forbids this", std::move(message)};
    case 404:
      return NotFoundError(status, std::move(message));
    case 409:
      return ConflictError(reason);
    case 410:
      return {ReasonCode::kNotFound, "the resourceVersion is too old",
              std::string(reason == kGone ? kGone : kExpired)};
    case 429:
      return {ReasonCode::kOverloaded, "the API server is overloaded"};
    default:
      break;
  }
  if (http_status >= 400 && http_status < 500)
    return {ReasonCode::kRequestMalformed, "the API server refuses the request", std::move(message)};
  return {ReasonCode::kUnreachable, "the API server can't answer now", std::move(message)};
}

bool IsExpired(const Error& error) {
  return error.code == ReasonCode::kNotFound && (error.where == kExpired || error.where == kGone);
}

bool IsAlreadyExists(const Error& error) {
  return error.code == ReasonCode::kConflict && error.where == kAlreadyExists;
}

bool IsTooLarge(const Error& error) {
  return error.code == ReasonCode::kUnreachable && error.where == http::kAnswerTooLarge;
}

std::optional<std::chrono::seconds> RetryAfter(const http::Response& response) {
  const std::string* text = response.headers.Find("Retry-After");
  if (text == nullptr) return std::nullopt;
  std::uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), seconds);
  if (error != std::errc{} || end != text->data() + text->size()) return std::nullopt;
  return std::chrono::seconds(seconds);
}

}  // namespace portcullis::kube

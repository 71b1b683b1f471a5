#include "http/message.h"

#include <algorithm>

namespace portcullis::http {
namespace {

constexpr char LowerCase(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool SameName(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return LowerCase(x) == LowerCase(y); });
}

}  // namespace

void Headers::Set(std::string name, std::string value) {
  std::erase_if(all_, [&name](const auto& field) { return SameName(field.first, name); });
  Add(std::move(name), std::move(value));
}

void Headers::Add(std::string name, std::string value) {
  all_.emplace_back(std::move(name), std::move(value));
}

const std::string* Headers::Find(std::string_view name) const {
  for (const auto& [known, value] : all_)
    if (SameName(known, name)) return &value;
  return nullptr;
}

Response Response::JsonBody(int status, const codec::Json& value) {
  return Text(status, codec::ToText(value), "application/json");
}

Response Response::Text(int status, std::string body, std::string content_type) {
  Response response{.status = status, .headers = {}, .body = std::move(body)};
  response.headers.Set("Content-Type", std::move(content_type));
  return response;
}

Response Response::Empty(int status) { return {.status = status, .headers = {}, .body = {}}; }

Response Response::Problem(int status, const Error& error, std::string_view request_id) {
  const Reason& reason = ReasonFor(error.code);
  std::string detail(error.text.view());
  if (!error.where.empty()) detail += " (" + error.where + ")";
  Response response = JsonBody(status, codec::Json::Object({{"type", DocsAnchor(error.code)},
                                                            {"title", reason.message},
                                                            {"status", status},
                                                            {"detail", detail},
                                                            {"code", reason.name},
                                                            {"retryable", reason.retryable},
                                                            {"remedy", reason.remedy},
                                                            {"requestId", request_id}}));
  response.headers.Set("Content-Type", "application/problem+json");
  return response;
}

int StatusFor(ReasonCode code) {
  using enum ReasonCode;
  switch (code) {
    case kEvidenceMalformed:
    case kEvidenceVersionUnsupported:
    case kProtocolVersionUnsupported:
    case kTeeKeyNotAccepted:
    case kTeeMismatch:
    case kPolicyIncomplete:
    case kRequestMalformed:
    case kConfigurationInvalid:
      return 400;
    case kChallengeUnknown:
    case kChallengeExpired:
    case kChallengeReused:
    case kUnauthorized:
      return 401;
    case kPolicyMissing:
    case kReleaseUnknown:
    case kNotFound:
      return 404;
    case kPolicyRevisionRollback:
    case kConflict:
    case kImmutableField:
      return 409;
    case kReleaseLimitReached:
      return 429;
    case kKeyUnavailable:
    case kAuditUnavailable:
    case kOverloaded:
    case kUnreachable:
      return 503;
    case kInternalError:
      return 500;
    default:
      return 403;  // a finding about evidence, platform, workload, GPU or policy: refused, not a fault
  }
}

}  // namespace portcullis::http

#pragma once

#include <chrono>
#include <optional>

#include "codec/json.h"
#include "http/message.h"

namespace portcullis::kube {

/// `where` of the errors that callers tell apart.
inline constexpr std::string_view kAlreadyExists = "AlreadyExists";
inline constexpr std::string_view kConflict = "Conflict";
inline constexpr std::string_view kGone = "Gone";
inline constexpr std::string_view kExpired = "Expired";

/// The Error that an answer outside 2xx stands for; `status` is its body where that was a meta/v1 Status,
/// else null. A 404 that names no object means that the API server does not serve the kind at all. That is
/// Unreachable: read as "the object is gone" it would delete what depends on it.
Error ErrorFor(int http_status, const codec::Json& status);
/// True for the Error of a watch or list whose resourceVersion or continue token is too old.
bool IsExpired(const Error& error);
bool IsAlreadyExists(const Error& error);
/// True where the answer was longer, or held more values, than is read: a smaller page may be shorter.
bool IsTooLarge(const Error& error);

/// Retry-After in seconds; nullopt where absent or no number.
std::optional<std::chrono::seconds> RetryAfter(const http::Response& response);

}  // namespace portcullis::kube

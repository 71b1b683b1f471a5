#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace portcullis::http {

/// Everything before the body of an HTTP/1.1 response: the handler's headers, and those that every answer of
/// ours carries (Content-Length, Cache-Control, X-Content-Type-Options, X-Request-Id, Date). A handler's
/// field that would break the framing is left out and logged: it can only be a bug.
std::string ResponseHead(const Response& response, std::string_view request_id, bool keep_alive);
/// Whether a response of this status has a body at all.
bool HasBody(int status);

}  // namespace portcullis::http

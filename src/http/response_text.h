#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace portcullis::http {

/// The bytes of an HTTP/1.1 response: the handler's headers, and those that every answer of ours carries
/// (Content-Length, Cache-Control, X-Content-Type-Options, X-Request-Id, Date). A handler's field that would
/// break the framing is left out and logged: it can only be a bug.
std::string ResponseText(const Response& response, std::string_view request_id, bool keep_alive);

}  // namespace portcullis::http

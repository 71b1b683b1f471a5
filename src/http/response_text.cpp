#include "http/response_text.h"

#include <algorithm>
#include <ctime>

#include "base/log.h"

namespace portcullis::http {
namespace {

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Status";
  }
}

/// RFC 9110 5.6.7, in the C locale that our programs never leave.
std::string DateText() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  return std::string(text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc));
}

bool IsSafe(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= 0x20 && c < 0x7F) || c == '\t'; });
}

bool IsOurs(std::string_view name, const Headers& ours) { return ours.Find(name) != nullptr; }

void AppendField(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

bool HasBody(int status) { return status != 204 && status != 304; }

std::string ResponseHead(const Response& response, std::string_view request_id, bool keep_alive) {
  Headers ours;
  if (HasBody(response.status)) ours.Set("Content-Length", std::to_string(response.body.size()));
  ours.Set("Cache-Control", "no-store");
  ours.Set("X-Content-Type-Options", "nosniff");
  ours.Set("X-Request-Id", std::string(request_id));
  ours.Set("Date", DateText());
  if (!keep_alive) ours.Set("Connection", "close");

  std::string out = "HTTP/1.1 " + std::to_string(response.status) + " ";
  out.append(ReasonPhrase(response.status)).append("\r\n");
  for (const auto& [name, value] : response.headers.all()) {
    if (IsOurs(name, ours)) continue;
    if (IsSafe(name) && IsSafe(value))
      AppendField(out, name, value);
    else
      Log(LogLevel::kError, "a handler's header field is not printable and was left out");
  }
  for (const auto& [name, value] : ours.all()) AppendField(out, name, value);
  out += "\r\n";
  return out;
}

}  // namespace portcullis::http

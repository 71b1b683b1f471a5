#include "http/request_parser.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <limits>
#include <optional>

#include "http/target.h"

namespace portcullis::http {
namespace {

namespace beast_http = boost::beast::http;

constexpr std::string_view kServedMethods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
constexpr std::string_view kKnownMethods[] = {"HEAD", "OPTIONS", "TRACE", "CONNECT"};

/// Fields of which a second one would let two readers choose differently.
constexpr std::string_view kOnlyOnce[] = {"host",         "content-length",   "transfer-encoding",
                                          "content-type", "authorization",    "cookie",
                                          "expect",       "content-encoding", "connection"};

/// Headers of this name come from nobody: no hop of ours adds any, so none may be forged.
constexpr std::string_view kReservedPrefix = "x-portcullis-";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsVisible(char c) { return c > 0x20 && c < 0x7F; }
bool IsBlank(char c) { return c == ' ' || c == '\t'; }

std::string LowerCase(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

template <typename List>
bool OneOf(const List& list, std::string_view text) {
  return std::find(std::begin(list), std::end(list), text) != std::end(list);
}

constexpr std::size_t kMaxLengthDigits = 18;  // fits 64 bits, and is above any limit

std::string_view View(boost::beast::string_view text) { return {text.data(), text.size()}; }

/// What Beast would take and we don't: a folded line (it unfolds), and so many fields that counting comes
/// first.
std::optional<Refusal> RefuseLooseLines(std::string_view head, const Limits& limits) {
  std::size_t lines = 0;
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    if (at + 2 < head.size() && IsBlank(head[at + 2])) return Refusal{400, "a header field is folded"};
    ++lines;
  }
  // The request line and the empty one are not fields.
  if (lines > limits.max_header_fields + 2) return Refusal{431, "there are too many header fields"};
  return std::nullopt;
}

/// A Content-Length of digits alone that Beast can't hold: well formed, and above any limit.
bool HasHugeLength(std::string_view head) {
  constexpr std::string_view kName = "\r\ncontent-length:";
  const std::string lower = LowerCase(head);
  const std::size_t at = lower.find(kName);
  if (at == std::string::npos) return false;
  const std::size_t start = at + kName.size();
  const std::string_view value =
      Trimmed(std::string_view(lower).substr(start, lower.find("\r\n", start) - start));
  return value.size() > kMaxLengthDigits && value.front() != '0' &&
         std::all_of(value.begin(), value.end(), IsDigit);
}

/// Why Beast refused the head: a version of the right form is one that others may speak.
Refusal RefusalOfBeast(std::string_view head, const boost::beast::error_code& error) {
  if (error == beast_http::error::bad_content_length && HasHugeLength(head))
    return Refusal{413, "the body is too large"};
  if (error == beast_http::error::bad_version) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    const std::string_view version = line.substr(std::min(line.rfind(' ') + 1, line.size()));
    if (std::count(line.begin(), line.end(), ' ') == 2 && version.size() == 8 &&
        version.starts_with("HTTP/") && IsDigit(version[5]) && version[6] == '.' && IsDigit(version[7]))
      return Refusal{505, "only HTTP/1.1 is spoken here"};
    return Refusal{400, "the request line is not well formed"};
  }
  return Refusal{400, "the head is not well formed"};
}

template <typename Message>
std::optional<Refusal> ReadRequestLine(const Message& message, const Limits& limits, Request& request) {
  const std::string_view method = View(message.method_string()), target = View(message.target());
  if (message.version() != 11) return Refusal{505, "only HTTP/1.1 is spoken here"};
  if (target.empty() || !std::all_of(target.begin(), target.end(), IsVisible))
    return Refusal{400, "the request line is not well formed"};
  if (OneOf(kKnownMethods, method)) return Refusal{405, "this method is not served"};
  if (!OneOf(kServedMethods, method)) return Refusal{501, "this method is not known"};
  if (target.size() > limits.max_target_bytes) return Refusal{414, "the target is too long"};

  auto parsed = ParseTarget(target);
  if (!parsed) return Refusal{400, parsed.error().text};
  request.method = method;
  request.path = std::move(parsed->path);
  request.query = std::move(parsed->query);
  return std::nullopt;
}

std::optional<Refusal> ReadField(std::string_view given_name, std::string_view value, Headers& headers) {
  if (!std::all_of(value.begin(), value.end(), [](char c) { return IsVisible(c) || IsBlank(c); }))
    return Refusal{400, "a header value is not printable ASCII"};
  const std::string name = LowerCase(given_name);
  if (name.starts_with(kReservedPrefix)) return Refusal{400, "a header field of this name is not accepted"};
  if (OneOf(kOnlyOnce, name) && headers.Find(name) != nullptr)
    return Refusal{400, "a header field is there twice"};
  headers.Add(std::string(given_name), std::string(Trimmed(value)));
  return std::nullopt;
}

/// uri-host [ ":" port ], by its bytes: what is served doesn't depend on it, so it need not be ours.
bool IsHost(std::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || IsDigit(c) ||
           std::string_view("-._:[]").find(c) != std::string_view::npos;
  });
}

std::optional<Refusal> ReadContentLength(std::string_view text, const Limits& limits, std::size_t& length) {
  const bool canonical = !text.empty() && std::all_of(text.begin(), text.end(), IsDigit) &&
                         (text.size() == 1 || text.front() != '0');
  if (!canonical) return Refusal{400, "Content-Length is not a plain number"};
  length = 0;
  if (text.size() <= kMaxLengthDigits)
    for (const char digit : text) length = length * 10 + static_cast<std::size_t>(digit - '0');
  if (text.size() > kMaxLengthDigits || length > limits.max_body_bytes)
    return Refusal{413, "the body is too large"};
  return std::nullopt;
}

std::optional<Refusal> ReadFraming(const Limits& limits, RequestHead& head) {
  const Headers& headers = head.request.headers;
  const std::string* host = headers.Find("host");
  if (host == nullptr || !IsHost(*host)) return Refusal{400, "Host is absent or not well formed"};

  const std::string* length = headers.Find("content-length");
  if (headers.Find("transfer-encoding") != nullptr) {
    if (length != nullptr) return Refusal{400, "Content-Length and Transfer-Encoding contradict each other"};
    return Refusal{411, "send a Content-Length: transfer codings are not accepted"};
  }
  const bool has_body = head.request.method != "GET" && head.request.method != "DELETE";
  if (length == nullptr) {
    if (has_body) return Refusal{411, "send a Content-Length"};
    return std::nullopt;
  }
  if (auto refusal = ReadContentLength(*length, limits, head.content_length)) return refusal;
  if (!has_body && head.content_length > 0) return Refusal{400, "this method takes no body"};
  return std::nullopt;
}

bool IsJson(const std::string* content_type) {
  if (content_type == nullptr) return false;
  const std::string type = LowerCase(*content_type);
  const std::size_t end = std::min(type.find(';'), type.size());
  if (Trimmed(std::string_view(type).substr(0, end)) != "application/json") return false;
  const std::string_view parameter = Trimmed(std::string_view(type).substr(std::min(end + 1, type.size())));
  return parameter.empty() || parameter == "charset=utf-8" || parameter == "charset=\"utf-8\"";
}

std::optional<Refusal> ReadBodyHeaders(bool json_only, RequestHead& head) {
  const Headers& headers = head.request.headers;
  if (const std::string* expected = headers.Find("expect")) {
    if (LowerCase(*expected) != "100-continue") return Refusal{417, "this expectation can't be met"};
    head.expects_continue = true;
  }
  const std::string* coding = headers.Find("content-encoding");
  if (coding != nullptr && LowerCase(*coding) != "identity")
    return Refusal{415, "send the body without coding"};
  if (json_only && head.content_length > 0 && !IsJson(headers.Find("content-type")))
    return Refusal{415, "send the body as application/json"};
  return std::nullopt;
}

bool AsksToClose(const std::string* connection) {
  if (connection == nullptr) return false;
  const std::string options = LowerCase(*connection);
  std::string_view rest = options;
  while (!rest.empty()) {
    const std::string_view option = rest.substr(0, std::min(rest.find(','), rest.size()));
    if (Trimmed(option) == "close") return true;
    rest.remove_prefix(std::min(option.size() + 1, rest.size()));
  }
  return false;
}

}  // namespace

HeadScanner::State HeadScanner::Scan(std::string_view bytes) {
  while (position_ < bytes.size()) {
    const char c = bytes[position_];
    if (c == '\r') {
      if (position_ + 1 == bytes.size()) return State::kIncomplete;
      if (bytes[position_ + 1] != '\n') return State::kRefused;
      const bool empty_line = position_ == line_start_;
      position_ += 2;
      line_start_ = position_;
      if (empty_line) return State::kComplete;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t') || byte == 0x7F) return State::kRefused;
    ++position_;
  }
  return State::kIncomplete;
}

std::variant<RequestHead, Refusal> ParseHead(std::string_view head, const Limits& limits, bool json_only) {
  if (auto refusal = RefuseLooseLines(head, limits)) return *refusal;
  beast_http::request_parser<beast_http::empty_body> parser;
  parser.header_limit(static_cast<std::uint32_t>(limits.max_header_bytes + limits.max_target_bytes));
  // Our own limit gives the better status. (No limit at all would be taken for zero by this version of
  // Beast.)
  parser.body_limit(std::numeric_limits<std::uint64_t>::max());
  boost::beast::error_code error;
  parser.put(boost::asio::buffer(head.data(), head.size()), error);
  if (error) return RefusalOfBeast(head, error);
  if (!parser.is_header_done()) return Refusal{400, "the head is not complete"};

  const auto& message = parser.get();
  RequestHead parsed;
  if (auto refusal = ReadRequestLine(message, limits, parsed.request)) return *refusal;
  for (const auto& field : message)
    if (auto refusal = ReadField(View(field.name_string()), View(field.value()), parsed.request.headers))
      return *refusal;
  if (auto refusal = ReadFraming(limits, parsed)) return *refusal;
  if (auto refusal = ReadBodyHeaders(json_only, parsed)) return *refusal;
  parsed.keep_alive = !AsksToClose(parsed.request.headers.Find("connection"));
  return parsed;
}

}  // namespace portcullis::http

#pragma once

#include <cstddef>
#include <string_view>
#include <variant>

#include "http/message.h"
#include "http/server.h"

namespace portcullis::http {

/// Finds the end of a request's head while it comes in, and the first byte that no head has. It looks at each
/// byte once, however small the pieces are.
class HeadScanner {
 public:
  enum class State : std::uint8_t { kIncomplete, kComplete, kRefused };

  /// `bytes` holds everything since the head's first byte; it only grows between calls. Refused: a line end
  /// other than CRLF, a control byte.
  State Scan(std::string_view bytes);
  /// After kComplete: the head with its empty line.
  std::size_t head_size() const { return position_; }
  std::size_t position() const { return position_; }

 private:
  std::size_t position_ = 0, line_start_ = 0;
};

/// Why a request is not served, and with which status.
struct Refusal {
  int status;
  StaticText text;
};

/// A head from which only one request can be read.
struct RequestHead {
  Request request;  // method, path, query, headers
  std::size_t content_length = 0;
  bool keep_alive = true;
  bool expects_continue = false;
};

/// Reads a head that HeadScanner found (RFC 9112, without what it merely tolerates): HTTP/1.1 only, one Host,
/// a Content-Length or nothing, no Transfer-Encoding, no folding, each field that matters once. With
/// `json_only` a body must be application/json.
std::variant<RequestHead, Refusal> ParseHead(std::string_view head, const Limits& limits, bool json_only);

}  // namespace portcullis::http

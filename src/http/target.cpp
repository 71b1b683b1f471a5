#include "http/target.h"

#include <algorithm>

namespace portcullis::http {
namespace {

bool IsPathByte(char c) {
  // RFC 3986 pchar without escapes, and the slash.
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~!$&'()*+,;=:@/").find(c) != std::string_view::npos;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<> CheckPath(std::string_view path) {
  if (path.empty() || path.front() != '/')
    return Error{ReasonCode::kRequestMalformed, "the target does not begin with a slash"};
  if (!std::all_of(path.begin(), path.end(), IsPathByte))
    return Error{ReasonCode::kRequestMalformed, "the path has a byte that no path here has"};
  std::string_view rest = path;
  while (!rest.empty()) {
    rest.remove_prefix(1);  // the slash
    const std::string_view segment = rest.substr(0, std::min(rest.find('/'), rest.size()));
    rest.remove_prefix(segment.size());
    if (segment == "." || segment == "..")
      return Error{ReasonCode::kRequestMalformed, "the path has dot segments"};
    if (segment.empty() && !rest.empty())
      return Error{ReasonCode::kRequestMalformed, "the path has an empty segment"};
  }
  return Done{};
}

/// A name or value of the query with its escapes undone.
Result<std::string> Unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    int value = static_cast<unsigned char>(text[i]);
    if (text[i] == '%') {
      const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return Error{ReasonCode::kRequestMalformed, "the query has a broken escape"};
      value = high * 16 + low;
      i += 2;
    } else if (text[i] != '?' && !IsPathByte(text[i])) {
      return Error{ReasonCode::kRequestMalformed, "the query has a byte that must be escaped"};
    }
    if (value < 0x20 || value > 0x7E)
      return Error{ReasonCode::kRequestMalformed, "the query is not printable ASCII"};
    out += static_cast<char>(value);
  }
  return out;
}

}  // namespace

Result<Target> ParseTarget(std::string_view target) {
  const std::size_t mark = target.find('?');
  const std::string_view path = target.substr(0, mark);
  TRY(CheckPath(path));
  Target parsed{.path = std::string(path), .query = {}};

  std::string_view rest = mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, std::min(rest.find('&'), rest.size()));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    std::string name = TRY(Unescaped(pair.substr(0, equals)));
    std::string value = TRY(Unescaped(pair.substr(std::min(equals + 1, pair.size()))));
    if (name.empty()) return Error{ReasonCode::kRequestMalformed, "a parameter of the query has no name"};
    if (parsed.query.size() == kMaxQueryParameters)
      return Error{ReasonCode::kRequestMalformed, "the query has too many parameters"};
    if (!parsed.query.emplace(std::move(name), std::move(value)).second)
      return Error{ReasonCode::kRequestMalformed, "a parameter of the query is there twice"};
  }
  return parsed;
}

}  // namespace portcullis::http

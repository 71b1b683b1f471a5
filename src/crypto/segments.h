#pragma once

#include <array>
#include <string_view>

#include "codec/json.h"
#include "crypto/jose.h"

namespace portcullis::crypto {

/// The N segments of a compact JOSE text. Error: RequestMalformed for any other number, or above
/// kMaxJoseBytes.
template <std::size_t N>
Result<std::array<std::string_view, N>> SplitCompact(std::string_view text) {
  if (text.size() > kMaxJoseBytes) return Error{ReasonCode::kRequestMalformed, "JOSE text is too long"};
  std::array<std::string_view, N> segments;
  for (std::size_t i = 0; i < N; ++i) {
    const std::size_t dot = text.find('.');
    const bool last = i + 1 == N;
    if (last != (dot == std::string_view::npos))
      return Error{ReasonCode::kRequestMalformed, "JOSE text has the wrong number of segments"};
    segments[i] = text.substr(0, dot);
    if (!last) text.remove_prefix(dot + 1);
  }
  return segments;
}

/// A protected header: base64url of one JSON object. Error: RequestMalformed.
Result<codec::Json> ParseHeader(std::string_view segment);

}  // namespace portcullis::crypto

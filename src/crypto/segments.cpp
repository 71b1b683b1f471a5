#include "crypto/segments.h"

#include "codec/text.h"

namespace portcullis::crypto {
namespace {

constexpr std::size_t kMaxHeaderBytes = 8 * 1024;
constexpr std::size_t kMaxHeaderDepth = 8;

}  // namespace

Result<codec::Json> ParseHeader(std::string_view segment) {
  if (segment.size() > kMaxHeaderBytes)
    return Error{ReasonCode::kRequestMalformed, "JOSE header is too long"};
  const ByteBuffer raw = TRY(codec::DecodeBase64Url(segment));
  codec::Json header =
      TRY(codec::ParseJson(AsText(raw), {.max_bytes = kMaxHeaderBytes, .max_depth = kMaxHeaderDepth}));
  if (!header.is_object()) return Error{ReasonCode::kRequestMalformed, "JOSE header is not an object"};
  return header;
}

}  // namespace portcullis::crypto

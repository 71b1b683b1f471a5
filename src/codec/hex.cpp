#include "codec/text.h"

namespace portcullis::codec {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

/// Value of a hex digit, or -1.
constexpr int ValueOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string EncodeHex(Bytes bytes) {
  std::string out(bytes.size() * 2, '0');
  char* at = out.data();
  for (const std::byte byte : bytes) {
    *at++ = kDigits[std::to_integer<unsigned>(byte) >> 4];
    *at++ = kDigits[std::to_integer<unsigned>(byte) & 15u];
  }
  return out;
}

Result<ByteBuffer> DecodeHex(std::string_view text) {
  if (text.size() % 2 != 0)
    return Error{ReasonCode::kRequestMalformed, "hex text has an odd number of digits"};
  ByteBuffer out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = ValueOf(text[i]);
    const int low = ValueOf(text[i + 1]);
    if (high < 0 || low < 0) return Error{ReasonCode::kRequestMalformed, "hex text has another character"};
    out.push_back(static_cast<std::byte>(high * 16 + low));
  }
  return out;
}

}  // namespace portcullis::codec

#include <cstdlib>

#include "codec/text.h"

using namespace portcullis;

/// A text that decodes is the only spelling of its bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes = std::as_bytes(std::span(data, size));
  const std::string_view text = AsText(bytes);
  if (const auto raw = codec::DecodeBase64(text); raw && codec::EncodeBase64(*raw) != text) std::abort();
  if (const auto raw = codec::DecodeBase64Url(text); raw && codec::EncodeBase64Url(*raw) != text)
    std::abort();
  if (codec::DecodeBase64(codec::EncodeBase64(bytes)).value() != ToBuffer(bytes)) std::abort();
  if (codec::DecodeHex(codec::EncodeHex(bytes)).value() != ToBuffer(bytes)) std::abort();
  (void)codec::Gunzip(bytes, 1u << 16);
  return 0;
}

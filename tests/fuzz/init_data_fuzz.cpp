#include <cstdlib>

#include "codec/init_data.h"

using namespace portcullis;

/// Once as TOML, once as the annotation; what is read can be made anew with the same entries.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = AsText(std::as_bytes(std::span(data, size)));
  (void)codec::DecodeInitDataAnnotation(text);
  const auto read = codec::ParseInitData(text);
  if (!read) return 0;
  const auto again =
      codec::DecodeInitDataAnnotation(codec::EncodeInitDataAnnotation(codec::MakeInitData(read->data)));
  if (again ? again->data != read->data : text.size() < codec::kMaxInitDataBytes / 8) std::abort();
  return 0;
}

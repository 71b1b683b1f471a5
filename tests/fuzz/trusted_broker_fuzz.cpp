#include <cstdlib>

#include "agent/release_claim.h"

/// The agent's reading of its pod's annotation; the input is the annotation, and the entry portcullis.json
/// alone.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace portcullis;  // NOLINT: the entry point stands in no namespace
  const std::string_view text = AsText(std::as_bytes(std::span(data, size)));
  (void)agent::ParseTrustedBroker(text);
  const codec::InitData init_data = codec::MakeInitData({{"portcullis.json", std::string(text)}});
  const auto broker = agent::ParseTrustedBroker(codec::EncodeInitDataAnnotation(init_data));
  if (broker && (broker->init_data.text != init_data.text || broker->url.empty())) std::abort();
  return 0;
}

#include <cstdlib>

#include "codec/json.h"
#include "release/records.h"

/// What an operator registers is kept as it was said.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace portcullis;  // NOLINT: the entry point stands in no namespace
  const auto body = codec::ParseJson(AsText(std::as_bytes(std::span(data, size))));
  if (!body) return 0;
  const auto registration = release::ParseRegistration("000102030405060708090a0b0c0d0e0f", *body);
  if (registration && (registration->pod != body->TextAt({"pod"}) || registration->pod.empty())) std::abort();
  return 0;
}

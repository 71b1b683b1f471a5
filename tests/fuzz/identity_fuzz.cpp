#include <cstdlib>

#include "cli/identity.h"

/// A broker's identity as the command line reads it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace portcullis;  // NOLINT: the entry point stands in no namespace
  const auto value = codec::ParseJson(AsText(std::as_bytes(std::span(data, size))));
  if (!value) return 0;
  const auto identity = cli::ParseIdentity(*value);
  if (identity && identity->audit_origin.empty()) std::abort();
  return 0;
}

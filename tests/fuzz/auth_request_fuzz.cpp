#include <cstdlib>

#include "release/attestation_request.h"

/// What is taken for a challenge's request names a TEE that is served and at most one well-formed release.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace portcullis;  // NOLINT: the entry point stands in no namespace
  const auto request = release::ParseAuthRequest(AsText(std::as_bytes(std::span(data, size))));
  if (request && request->tee != "snp") std::abort();
  if (request && !request->release_id.empty() && !release::IsReleaseId(request->release_id)) std::abort();
  return 0;
}

#include <cstdlib>

#include "endorsement/issuer_chain.h"

/// What a chain decodes to is a chain again, read as it stands.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace portcullis;  // NOLINT: the entry point stands in no namespace
  const auto chain = endorsement::DecodeIssuerChain(AsText(std::as_bytes(std::span(data, size))));
  if (!chain) return 0;
  const auto certificates = endorsement::CertificatesOf(*chain);
  if (!certificates || certificates->size() < 2) std::abort();
  return 0;
}

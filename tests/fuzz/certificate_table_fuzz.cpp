#include <cstdint>

#include "evidence/snp/chain.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto certificates = portcullis::snp::ParseCertificateTable(std::as_bytes(std::span(data, size)));
  if (certificates)
    for (const auto& certificate : *certificates) (void)portcullis::snp::ParseLeafExtensions(certificate);
  return 0;
}

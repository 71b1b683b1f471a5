#include <cstdint>

#include "evidence/snp/checks.h"
#include "evidence/snp/claims.h"

// Parses a report and appraises it without a certificate: nothing may crash, and nothing may be allowed.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto verification = portcullis::snp::VerifySnp(bytes, {}, nullptr, portcullis::snp::TrustAnchors{},
                                                       portcullis::WallTime{}, nullptr, nullptr);
  if (verification.tree.allowed()) __builtin_trap();
  if (const auto report = portcullis::snp::ParseReport(bytes)) (void)portcullis::snp::ClaimsOf(*report);
  return 0;
}

#include <cstdint>
#include <cstdlib>

#include "policy/policy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace portcullis;  // NOLINT: the entry point stands in no namespace
  const auto document = codec::ParseJson(AsText(std::as_bytes(std::span(data, size))));
  if (!document) return 0;
  const auto policy = policy::ParsePolicy(*document);
  // An accepted policy is complete, can be explained, and is the same policy in canonical form.
  if (!policy) return 0;
  const auto again = policy::ParsePolicy(codec::ParseJson(codec::ToCanonicalText(*document)).value());
  if (policy::Explain(*policy).empty() || again->digest != policy->digest) std::abort();
  // No TEE is served without something that names the guest.
  if (policy->snp && policy->snp->measurements.empty()) std::abort();
  if (policy->tdx && policy->tdx->mr_td.empty()) std::abort();
  if (policy->az_snp && policy->az_snp->vtpm.pcrs.empty()) std::abort();
  if (policy->az_tdx && policy->az_tdx->vtpm.pcrs.empty()) std::abort();
  if (!policy->snp && !policy->tdx && !policy->az_snp && !policy->az_tdx) std::abort();
  return 0;
}

#include <cstdlib>

#include "evidence/snp/checks.h"
#include "release/attestation_request.h"

/// The whole way of a guest's body up to the verdict, under no root at all: nothing is allowed.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace portcullis;  // NOLINT: the entry point stands in no namespace
  const auto request = release::ParseAttestationRequest(AsText(std::as_bytes(std::span(data, size))));
  if (!request) return 0;
  if (request->evidence.certificates.size() > release::kMaxCertificates) std::abort();
  const auto verification = snp::VerifySnp(request->evidence.report, request->evidence.certificates, nullptr,
                                           snp::TrustAnchors{}, WallTime{}, nullptr, nullptr);
  if (verification.tree.allowed()) std::abort();
  const auto init_data = codec::ParseInitData(request->init_data_text);
  const auto claim =
      init_data ? release::ParseReleaseClaim(*init_data) : Error{ReasonCode::kInitDataMismatch, ""};
  if (claim && !release::IsReleaseId(claim->release_id)) std::abort();
  return 0;
}

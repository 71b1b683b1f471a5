#include <cstdlib>

#include "evidence/snp/given_endorsements.h"
#include "release/attestation_request.h"
#include "tests/support/no_collateral.h"

namespace {

using namespace portcullis;  // NOLINT: everything here stands in no namespace of ours

/// The whole way of a guest's body up to the verdict, under no root at all: nothing is allowed.
void Try(std::string_view body, std::string_view tee) {
  const auto request = release::ParseAttestationRequest(body, tee);
  if (!request) return;
  if (policy::TeeOf(request->evidence) != tee) std::abort();
  const snp::GivenEndorsements endorsements{{}};
  const test::NoCollateral collateral;
  const policy::Appraisal appraisal =
      policy::Appraise(policy::Policy{}, policy::Requester{}, request->evidence, request->report_data,
                       {snp::TrustAnchors{}, endorsements, tdx::TrustAnchors{}, collateral}, WallTime{});
  if (appraisal.tree.allowed()) std::abort();
  const auto init_data = codec::ParseInitData(request->init_data_text);
  const auto claim =
      init_data ? release::ParseReleaseClaim(*init_data) : Error{ReasonCode::kInitDataMismatch, ""};
  if (claim && !release::IsReleaseId(claim->release_id)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body = AsText(std::as_bytes(std::span(data, size)));
  for (const std::string_view tee : {policy::kSnp, policy::kTdx, policy::kAzSnp, policy::kAzTdx})
    Try(body, tee);
  return 0;
}

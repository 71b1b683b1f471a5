#pragma once

#include <vector>

#include "base/clock.h"
#include "evidence/azure/evidence.h"
#include "evidence/azure/reference_values.h"
#include "evidence/snp/chain.h"
#include "evidence/tdx/checks.h"
#include "evidence/verification.h"

namespace portcullis::azure {

/// Verify the hardware's report that the paravisor (HCL) got, the attestation key that it names, and the
/// vTPM's quote under that key: the rows of snp::VerifySnp or tdx::VerifyTdx, then the table of az. rows. The
/// report data that the hardware signed is the digest of the paravisor's own data; what we asked for is in
/// the quote. Without `reference` only the baseline runs (genuine, bound together), and `binding` may then be
/// null too; null beside a policy leaves the policy's rows open, which denies.
evidence::Verification VerifyAzSnp(const SnpEvidence& evidence, const snp::EndorsementSource* endorsements,
                                   const snp::TrustAnchors& anchors, WallTime now,
                                   const SnpReferenceValues* reference, const Binding* binding);
evidence::Verification VerifyAzTdx(const TdxEvidence& evidence, const tdx::CollateralSource& collateral,
                                   const tdx::TrustAnchors& anchors, WallTime now,
                                   const TdxReferenceValues* reference, const Binding* binding);

/// The az. rows in their order, with reason and source.
std::vector<evidence::Finding> CheckRows();

}  // namespace portcullis::azure

#pragma once

#include <optional>
#include <vector>

#include "base/clock.h"
#include "crypto/digest.h"
#include "evidence/tdx/collateral.h"
#include "evidence/tdx/reference_values.h"
#include "evidence/verification.h"

namespace portcullis::tdx {

/// The root that every chain must end in, by its public key. The production one is Intel's; the lab
/// executables and tests make another in their own main.
struct TrustAnchors {
  crypto::Sha256Digest root_spki;
};
const TrustAnchors& IntelTrustAnchors();

/// What a guest sends: a quote, and its event log (CCEL) where it has one.
struct Evidence {
  ByteBuffer quote;
  ByteBuffer event_log;  // empty: none
};

/// Parses, authenticates and appraises: the whole of TDX verification (tdx.md sections 2, 6, 7, 12). Without
/// `reference` only the baseline runs (genuine, current and unrevoked collateral, debug off, Revoked and
/// unknown TCBs refused, any other TCB status in the claims), and `binding` may then be null too; null beside
/// a policy leaves the policy's rows open, which denies. The set of collateral is that of the policy, else
/// the standard one.
evidence::Verification VerifyTdx(const Evidence& evidence, const CollateralSource& collateral,
                                 const TrustAnchors& anchors, WallTime now, const ReferenceValues* reference,
                                 const Binding* binding);

/// Every row of an appraisal in its order, with reason and source.
std::vector<evidence::Finding> CheckRows();

}  // namespace portcullis::tdx

#pragma once

#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "evidence/azure/evidence.h"
#include "evidence/snp/chain.h"
#include "evidence/snp/endorsements.h"
#include "evidence/tdx/checks.h"

namespace portcullis::policy {

/// The TEEs by their names in RCAR and under `tees` of a policy (kbs-protocol.md 2.3).
inline constexpr std::string_view kSnp = "snp";
inline constexpr std::string_view kTdx = "tdx";
inline constexpr std::string_view kAzSnp = "az-snp-vtpm";
inline constexpr std::string_view kAzTdx = "az-tdx-vtpm";

/// The name above for a name that a client gives; nullopt for a TEE that is not verified here.
std::optional<std::string_view> TeeNamed(std::string_view name);

struct SnpEvidence {
  ByteBuffer report;
  std::vector<crypto::Certificate> certificates;
};

/// What a guest of any TEE sends, well formed as JSON and not yet believed.
using Evidence = std::variant<SnpEvidence, tdx::Evidence, azure::SnpEvidence, azure::TdxEvidence>;
std::string_view TeeOf(const Evidence& evidence);

/// What evidence is verified against, of whatever TEE; all must outlive the appraisal.
struct TrustSources {
  const snp::TrustAnchors& snp_anchors;
  const snp::EndorsementSource& endorsements;
  const tdx::TrustAnchors& tdx_anchors;
  const tdx::CollateralSource& collateral;
};

}  // namespace portcullis::policy

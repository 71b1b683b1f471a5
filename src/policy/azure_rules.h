#pragma once

#include "codec/json.h"
#include "evidence/azure/reference_values.h"

namespace portcullis::policy {

/// Read `tees.az-snp-vtpm` and `tees.az-tdx-vtpm` of a policy: the hardware's rules in the hardware's own
/// form, and the vTPM's. docs/reference/policy.md has each member.
/// Error: PolicyIncomplete, with the member's path, also where two members contradict each other.
Result<azure::SnpReferenceValues> ReadAzureSnpRules(codec::ObjectReader& in);
Result<azure::TdxReferenceValues> ReadAzureTdxRules(codec::ObjectReader& in);

}  // namespace portcullis::policy

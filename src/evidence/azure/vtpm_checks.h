#pragma once

#include <optional>

#include "evidence/azure/evidence.h"
#include "evidence/azure/hcl_report.h"
#include "evidence/azure/reference_values.h"
#include "evidence/check.h"

namespace portcullis::azure {

/// What the hardware signed and what it was signed for.
struct HardwareFacts {
  Bytes report_data;           // 64 bytes
  Bytes mr_td;                 // TDX only
  std::array<Bytes, 4> rtmrs;  // TDX only
};

/// What binds the vTPM's quote to the hardware.
struct OriginSubject {
  const HclReport& hcl;
  const tpm::Quote& quote;
  const VtpmQuote& sent;
  std::optional<HardwareFacts> hardware;  // nullopt where the hardware's report was not authentic
};
std::span<const evidence::Check<OriginSubject>> OriginChecks();
/// More for TDX, whose paravisor is handed a report and the quote apart from each other.
std::span<const evidence::Check<OriginSubject>> TdxOriginChecks();

/// What a policy and an attestation demand of a quote whose origin is proven.
struct PolicySubject {
  const HclReport& hcl;
  const tpm::Quote& quote;
  const VtpmQuote& sent;
  std::int64_t evidence_version;
  const VtpmReferenceValues& reference;
  const Binding& binding;
};
std::span<const evidence::Check<PolicySubject>> PolicyChecks();

/// SHA-256 of the paravisor's data and zeros: what the hardware must have signed.
UserData ReportDataOf(const HclReport& hcl);

}  // namespace portcullis::azure

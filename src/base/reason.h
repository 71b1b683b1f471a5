#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace portcullis {

/// Every way Portcullis says no. The name is the same word in metric label, Event and condition reason,
/// audit row, problem body and CLI. Append, never reuse: a code never changes its meaning.
enum class ReasonCode : std::uint16_t {
  // evidence
  kEvidenceMalformed,
  kEvidenceVersionUnsupported,
  kEndorsementMissing,
  kChainUntrusted,
  kCertificateExpired,
  kCertificateRevoked,
  kCertificateMismatch,
  kCollateralStale,
  kSignatureInvalid,
  // platform
  kProductNotAllowed,
  kDebugEnabled,
  kMigrationNotAllowed,
  kPrivilegeLevelNotAllowed,
  kGuestPolicyNotAllowed,
  kPlatformNotAllowed,
  kFirmwareTooOld,
  kProvisionalFirmware,
  kTcbBelowFloor,
  kTcbStatusNotAllowed,
  kChipNotAllowed,
  // workload
  kMeasurementNotAllowed,
  kInitDataMismatch,
  kReportDataMismatch,
  kIdentityKeyNotAllowed,
  kSubjectNotAllowed,
  // GPU
  kGpuMissing,
  kGpuCountMismatch,
  kGpuDuplicate,
  kGpuNonceMismatch,
  kGpuFirmwareIdMismatch,
  kGpuDriverNotAllowed,
  kGpuVbiosNotAllowed,
  kRimMissing,
  kRimUntrusted,
  kRimExpired,
  kGpuMeasurementMismatch,
  kGpuModeNotAllowed,
  kGpuTopologyMismatch,
  // session
  kChallengeUnknown,
  kChallengeExpired,
  kChallengeReused,
  kProtocolVersionUnsupported,
  kTeeKeyNotAccepted,
  kTeeMismatch,
  // policy
  kPolicyMissing,
  kPolicySignatureInvalid,
  kPolicyRevisionRollback,
  kPolicyIncomplete,
  kPolicyAuthorityMismatch,
  kReleaseUnknown,
  kReleaseExpired,
  kReleaseLimitReached,
  kRevoked,
  kKeyUnavailable,
  kKeySignatureInvalid,
  // service
  kAuditUnavailable,
  kOverloaded,
  kInternalError,
  // request: what a caller sent to an API, a command line or a configuration file
  kRequestMalformed,
  kNotFound,
  kConflict,
  kUnauthorized,
  kForbidden,
  kUnreachable,
  kConfigurationInvalid,
  // admission
  kNotConfidential,
  kHostAccessNotAllowed,
  kImmutableField,
};
inline constexpr std::size_t kReasonCount = static_cast<std::size_t>(ReasonCode::kImmutableField) + 1;

enum class ReasonCategory : std::uint8_t {
  kEvidence,
  kPlatform,
  kWorkload,
  kGpu,
  kSession,
  kPolicy,
  kService,
  kRequest,
  kAdmission
};

struct Reason {
  ReasonCode code;
  std::string_view name;  // CamelCase, stable
  ReasonCategory category;
  bool retryable;            // a later try with the same input can succeed without a human
  std::string_view message;  // what happened, one sentence
  std::string_view remedy;   // what to change, one sentence
};

/// The row of a code; every code has one (static_assert in reason.cpp).
const Reason& ReasonFor(ReasonCode code);
std::string_view NameOf(ReasonCode code);
std::string_view NameOf(ReasonCategory category);
std::optional<ReasonCode> ReasonNamed(std::string_view name);
/// Where docs/reference/reasons.md explains the code, e.g. "docs/reference/reasons.md#debugenabled".
/// Stable text, safe to print.
const char* DocsAnchor(ReasonCode code);

}  // namespace portcullis

#include "base/reason.h"

#include <array>
#include <string>

namespace portcullis {
namespace {

using enum ReasonCode;
using enum ReasonCategory;
constexpr bool kRetry = true;
constexpr bool kFinal = false;

constexpr Reason kReasons[] = {
    {kEvidenceMalformed, "EvidenceMalformed", kEvidence, kFinal, "The evidence is not well formed.",
     "Send the report exactly as the hardware returned it; check the attester's version and transport "
     "encoding."},
    {kEvidenceVersionUnsupported, "EvidenceVersionUnsupported", kEvidence, kFinal,
     "The evidence has a version that is not verified here.",
     "Update the platform firmware (SNP reports need version 3 to 5), or update Portcullis if the version is "
     "newer."},
    {kEndorsementMissing, "EndorsementMissing", kEvidence, kRetry,
     "A certificate that endorses the evidence is missing.",
     "Have the host provide the VCEK or VLEK with the report (auxblob), or fill the collateral cache."},
    {kChainUntrusted, "ChainUntrusted", kEvidence, kFinal,
     "The certificate chain does not end in the vendor root pinned for this product.",
     "Use genuine hardware and the certificate its vendor issued for it; a chain sent along is never trusted "
     "for being there."},
    {kCertificateExpired, "CertificateExpired", kEvidence, kFinal,
     "A certificate is outside its validity period.",
     "Fetch a current certificate (VLEKs live one year) and check the verifier's clock."},
    {kCertificateRevoked, "CertificateRevoked", kEvidence, kFinal,
     "The vendor has revoked a certificate in the chain.",
     "Move the workload to hardware that is not revoked and follow the vendor's bulletin."},
    {kCertificateMismatch, "CertificateMismatch", kEvidence, kFinal,
     "The endorsement certificate does not belong to this report.",
     "Fetch the certificate for this chip and this exact TCB; it changes with each firmware update."},
    {kCollateralStale, "CollateralStale", kEvidence, kRetry,
     "Revocation or reference collateral is absent or too old.",
     "Run portcullis collateral fetch and check the refresh job."},
    {kSignatureInvalid, "SignatureInvalid", kEvidence, kFinal,
     "The signature over the evidence does not verify.",
     "The bytes were altered or belong to another key: collect fresh evidence and send it unchanged."},
    {kProductNotAllowed, "ProductNotAllowed", kPlatform, kFinal,
     "The policy does not allow this processor product or stepping.",
     "Add the product with its TCB floor to the policy, or schedule the pod on an allowed product."},
    {kDebugEnabled, "DebugEnabled", kPlatform, kFinal,
     "The guest runs with debugging enabled, so the host can read its memory.",
     "Launch the guest without the debug policy bit; do not use a -debug runtime class."},
    {kMigrationNotAllowed, "MigrationNotAllowed", kPlatform, kFinal,
     "The guest may be migrated by an agent that the policy does not allow.",
     "Launch without the migration-agent bit, or add the agent's report id to the policy."},
    {kPrivilegeLevelNotAllowed, "PrivilegeLevelNotAllowed", kPlatform, kFinal,
     "The report was requested at a privilege level that the policy does not allow.",
     "Request the report from an allowed VMPL, or add the level to the policy."},
    {kGuestPolicyNotAllowed, "GuestPolicyNotAllowed", kPlatform, kFinal,
     "The guest's launch policy differs from what the policy demands.",
     "Launch the guest with the guest-policy bits that the release policy lists."},
    {kPlatformNotAllowed, "PlatformNotAllowed", kPlatform, kFinal,
     "The platform's security configuration differs from what the policy demands.",
     "Change the BIOS settings named in the check, or the policy's platform bits."},
    {kFirmwareTooOld, "FirmwareTooOld", kPlatform, kFinal,
     "The platform firmware is older than the policy's floor.",
     "Update the platform firmware, or lower the floor in a new policy revision."},
    {kProvisionalFirmware, "ProvisionalFirmware", kPlatform, kFinal,
     "The platform runs firmware that is not committed and could be rolled back.",
     "Commit the firmware on the host, or allow provisional firmware in the policy."},
    {kTcbBelowFloor, "TcbBelowFloor", kPlatform, kFinal, "A TCB component is below the policy's floor.",
     "Update firmware and microcode on the host and fetch a certificate for the new TCB."},
    {kTcbStatusNotAllowed, "TcbStatusNotAllowed", kPlatform, kFinal,
     "The platform's TCB status is not tolerated by the policy.",
     "Update the platform, or tolerate the named advisories until a date in the policy."},
    {kChipNotAllowed, "ChipNotAllowed", kPlatform, kFinal,
     "The policy does not allow this chip or cloud provider.",
     "Add the chip id or CSP id to the policy's list, or move the workload."},
    {kMeasurementNotAllowed, "MeasurementNotAllowed", kWorkload, kFinal,
     "The launch measurement is not one that the policy allows.",
     "Deploy the guest image that the policy names, or add its measurement in a new policy revision."},
    {kInitDataMismatch, "InitDataMismatch", kWorkload, kFinal,
     "The init-data that the hardware measured is not what was admitted.",
     "Recreate the pod so that the webhook writes its init-data; nothing may change it afterwards."},
    {kReportDataMismatch, "ReportDataMismatch", kWorkload, kFinal,
     "The report data does not bind this challenge and key.",
     "Collect fresh evidence over this challenge and the agent's own key; evidence can't be reused."},
    {kIdentityKeyNotAllowed, "IdentityKeyNotAllowed", kWorkload, kFinal,
     "The identity block of the guest is not one that the policy allows.",
     "Launch with the ID block whose key digests the policy lists, or none if it demands none."},
    {kSubjectNotAllowed, "SubjectNotAllowed", kWorkload, kFinal,
     "The policy does not allow this namespace, service account or init-data for the key.",
     "Add the subject to the policy, or run the pod under an allowed service account."},
    {kGpuMissing, "GpuMissing", kGpu, kFinal, "The policy demands GPU evidence and there is none.",
     "Attach a confidential GPU and an attester that collects its evidence."},
    {kGpuCountMismatch, "GpuCountMismatch", kGpu, kFinal, "The number of GPUs differs from the policy.",
     "Give the pod exactly the number of GPUs that the policy names."},
    {kGpuDuplicate, "GpuDuplicate", kGpu, kFinal, "The same GPU is in the evidence twice.",
     "Collect evidence once per device."},
    {kGpuNonceMismatch, "GpuNonceMismatch", kGpu, kFinal, "The GPU's evidence is not over this challenge.",
     "Collect fresh GPU evidence over the derived nonce."},
    {kGpuFirmwareIdMismatch, "GpuFirmwareIdMismatch", kGpu, kFinal,
     "The GPU's firmware id differs between certificate and report.",
     "Update the GPU firmware and collect evidence again."},
    {kGpuDriverNotAllowed, "GpuDriverNotAllowed", kGpu, kFinal, "The policy does not allow this GPU driver.",
     "Install an allowed driver, or add it to the policy."},
    {kGpuVbiosNotAllowed, "GpuVbiosNotAllowed", kGpu, kFinal, "The policy does not allow this VBIOS.",
     "Flash an allowed VBIOS, or add it to the policy."},
    {kRimMissing, "RimMissing", kGpu, kRetry, "The reference integrity manifest is missing.",
     "Import the manifest with portcullis collateral fetch."},
    {kRimUntrusted, "RimUntrusted", kGpu, kFinal,
     "The reference integrity manifest is not signed by the vendor.", "Import the vendor's own manifest."},
    {kRimExpired, "RimExpired", kGpu, kRetry, "The reference integrity manifest has expired.",
     "Import a current manifest."},
    {kGpuMeasurementMismatch, "GpuMeasurementMismatch", kGpu, kFinal,
     "A GPU measurement differs from the manifest.",
     "Update driver and firmware to the manifest's versions."},
    {kGpuModeNotAllowed, "GpuModeNotAllowed", kGpu, kFinal, "The GPU is not in an allowed confidential mode.",
     "Turn confidential mode on and development mode off."},
    {kGpuTopologyMismatch, "GpuTopologyMismatch", kGpu, kFinal,
     "The GPUs and switches are not wired as the policy demands.",
     "Use the whole set of devices of one host."},
    {kChallengeUnknown, "ChallengeUnknown", kSession, kRetry,
     "The challenge was not issued here or was altered.",
     "Ask for a new challenge and send its cookie unchanged."},
    {kChallengeExpired, "ChallengeExpired", kSession, kRetry, "The challenge is past its lifetime.",
     "Ask for a new challenge and answer it within its lifetime."},
    {kChallengeReused, "ChallengeReused", kSession, kRetry, "The challenge was answered before.",
     "Ask for a new challenge for every attestation; if nobody did it twice, look for a replay."},
    {kProtocolVersionUnsupported, "ProtocolVersionUnsupported", kSession, kFinal,
     "The protocol version is not spoken here.", "Use a client of RCAR version 0.4.0."},
    {kTeeKeyNotAccepted, "TeeKeyNotAccepted", kSession, kFinal,
     "The key of the TEE is not of an accepted kind.", "Use an EC key on P-256 or P-521 for ECDH-ES+A256KW."},
    {kTeeMismatch, "TeeMismatch", kSession, kFinal, "The evidence is of another TEE than the challenge.",
     "Name the TEE in the challenge request that the evidence comes from."},
    {kPolicyMissing, "PolicyMissing", kPolicy, kRetry, "There is no accepted policy for this release.",
     "Apply the signed ReleasePolicy that the pod's label names."},
    {kPolicySignatureInvalid, "PolicySignatureInvalid", kPolicy, kFinal,
     "No signature on the policy verifies under the key's authority.",
     "Sign the policy again with portcullis policy sign and the authority key of the model key."},
    {kPolicyRevisionRollback, "PolicyRevisionRollback", kPolicy, kFinal,
     "The policy's revision is not above the one accepted before.",
     "Raise spec.policy.revision and sign again."},
    {kPolicyIncomplete, "PolicyIncomplete", kPolicy, kFinal,
     "The policy leaves out a field that its TEE needs, or holds one that is not known.",
     "Fill in the field named; nothing in a policy has a default."},
    {kPolicyAuthorityMismatch, "PolicyAuthorityMismatch", kPolicy, kFinal,
     "The policy is signed by another authority than the model key names.",
     "Sign with the authority key to which the model key was wrapped."},
    {kReleaseUnknown, "ReleaseUnknown", kPolicy, kRetry, "No release is registered under this id.",
     "Create the pod through the admission webhook and check that the controller is running."},
    {kReleaseExpired, "ReleaseExpired", kPolicy, kFinal, "The release's lease has run out.",
     "Attest again; raise the lease in the policy if it is too short."},
    {kReleaseLimitReached, "ReleaseLimitReached", kPolicy, kFinal,
     "The release was used as often as the policy allows.",
     "Recreate the pod, or raise maxReleases in the policy."},
    {kRevoked, "Revoked", kPolicy, kFinal, "The release was revoked.",
     "Recreate the pod under a policy and key that are in force."},
    {kKeyUnavailable, "KeyUnavailable", kPolicy, kRetry,
     "The model key is not known to the broker or can't be unwrapped.",
     "Apply the ModelKey, wrapped to this broker's current wrapping key."},
    {kKeySignatureInvalid, "KeySignatureInvalid", kPolicy, kFinal,
     "The signature on a version of the model key does not verify under the key's authority.",
     "Wrap the key again with portcullis key wrap and the authority's private key, under the namespace, name "
     "and resource of the ModelKey."},
    {kAuditUnavailable, "AuditUnavailable", kService, kRetry,
     "The audit log can't be written, so nothing is released.",
     "Free disk space or repair the volume, then restart the broker."},
    {kOverloaded, "Overloaded", kService, kRetry, "The broker has as much work as it takes.",
     "Try again after the time in Retry-After; add replicas if it lasts."},
    {kInternalError, "InternalError", kService, kRetry, "Something failed that should not.",
     "Report it with the request id; the broker's log has the details."},
    {kRequestMalformed, "RequestMalformed", kRequest, kFinal, "The request is not well formed.",
     "Correct the field named in the error."},
    {kNotFound, "NotFound", kRequest, kFinal, "There is nothing under this name.",
     "Check namespace and name."},
    {kConflict, "Conflict", kRequest, kRetry,
     "The object exists with other content or was changed meanwhile.",
     "Read it again and repeat the change, or use another name."},
    {kUnauthorized, "Unauthorized", kRequest, kFinal, "The caller did not prove who it is.",
     "Send a client certificate of the broker's client CA, or a valid token."},
    {kForbidden, "Forbidden", kRequest, kFinal, "The caller may not do this.",
     "Use an identity with the role that the route needs."},
    {kUnreachable, "Unreachable", kRequest, kRetry, "A server can't be reached.",
     "Check address, network and certificates; it is tried again."},
    {kConfigurationInvalid, "ConfigurationInvalid", kRequest, kFinal, "The configuration is not valid.",
     "Correct the option named in the error."},
    {kNotConfidential, "NotConfidential", kAdmission, kFinal,
     "The pod asks for a sealed key but would not run in a TEE.",
     "Set spec.runtimeClassName to a confidential RuntimeClass such as kata-qemu-snp."},
    {kHostAccessNotAllowed, "HostAccessNotAllowed", kAdmission, kFinal,
     "The pod asks for host access, which breaks its isolation.",
     "Remove hostPath, hostPID, hostNetwork, hostIPC and privileged from the pod."},
    {kImmutableField, "ImmutableField", kAdmission, kFinal,
     "The field of a confidential pod can't change after admission.",
     "Delete the pod and create it anew with the wanted value."},
};

constexpr bool EachCodeHasItsRowInOrder() {
  std::size_t index = 0;
  for (const Reason& reason : kReasons)
    if (static_cast<std::size_t>(reason.code) != index++) return false;
  return index == kReasonCount;
}
static_assert(EachCodeHasItsRowInOrder());

std::array<std::string, kReasonCount> MakeAnchors() {
  std::array<std::string, kReasonCount> anchors;
  for (std::size_t i = 0; i < kReasonCount; ++i) {
    anchors[i] = "docs/reference/reasons.md#";
    for (const char c : kReasons[i].name)
      anchors[i] += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  }
  return anchors;
}

}  // namespace

const Reason& ReasonFor(ReasonCode code) { return kReasons[static_cast<std::size_t>(code)]; }

std::string_view NameOf(ReasonCode code) { return ReasonFor(code).name; }

std::string_view NameOf(ReasonCategory category) {
  switch (category) {
    case kEvidence:
      return "evidence";
    case kPlatform:
      return "platform";
    case kWorkload:
      return "workload";
    case kGpu:
      return "gpu";
    case kSession:
      return "session";
    case kPolicy:
      return "policy";
    case kService:
      return "service";
    case kRequest:
      return "request";
    case kAdmission:
      return "admission";
  }
  return "unknown";
}

std::optional<ReasonCode> ReasonNamed(std::string_view name) {
  for (const Reason& reason : kReasons)
    if (reason.name == name) return reason.code;
  return std::nullopt;
}

const char* DocsAnchor(ReasonCode code) {
  static const auto anchors = MakeAnchors();
  return anchors[static_cast<std::size_t>(code)].c_str();
}

}  // namespace portcullis

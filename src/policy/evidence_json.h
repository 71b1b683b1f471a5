#pragma once

#include "codec/json.h"
#include "policy/evidence.h"

namespace portcullis::policy {

inline constexpr std::size_t kMaxCertificates = 8;

/// The primary evidence of RCAR for a TEE by its name here (kbs-protocol.md 2.4, docs/reference/api.md):
/// snp: {"attestation_report": base64, "auxblob"?: base64, "certificates"?: [base64]}, or Confidential
/// Containers' form with the report as an object;
/// tdx: {"quote": base64, "cc_eventlog": base64 or null};
/// az-snp-vtpm, az-tdx-vtpm: versions 0 to 2 of evidence/azure/evidence.h.
/// Errors: EvidenceMalformed (with the member), EvidenceVersionUnsupported, ProductNotAllowed, TeeMismatch
/// (the evidence is in the form of another TEE).
Result<Evidence> ParseEvidence(std::string_view tee, const codec::Json& primary_evidence);

/// Which TEE's form evidence has, by its members; nullopt where it is none's.
std::optional<std::string_view> TeeOfForm(const codec::Json& primary_evidence);

}  // namespace portcullis::policy

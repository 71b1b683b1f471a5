#pragma once

#include <string>

#include "codec/json.h"
#include "crypto/jwk.h"
#include "evidence/snp/reference_values.h"
#include "policy/evidence_json.h"
#include "policy/policy.h"

namespace portcullis::release {

inline constexpr std::string_view kProtocolVersion = "0.4.0";

/// POST /kbs/v0/auth (kbs-protocol.md 1.3).
struct AuthRequest {
  std::string_view tee;    // as policies name it
  std::string release_id;  // extra-params "portcullis-release", "" where absent
};
/// Errors: ProtocolVersionUnsupported, TeeMismatch (a TEE not served here), RequestMalformed.
Result<AuthRequest> ParseAuthRequest(std::string_view body);

/// POST /kbs/v0/attest (kbs-protocol.md 1.4), RCAR 0.4.0.
struct AttestationRequest {
  ByteBuffer nonce;  // as echoed
  crypto::EcPublicKey tee_key;
  std::string init_data_text;  // "" where the guest sent none
  policy::Evidence evidence;
  std::string evidence_text;             // of the primary evidence, canonical: what is kept with a release
  ByteBuffer report_data;                // that evidence of this TEE must carry
  crypto::Sha256Digest evidence_digest;  // of evidence_text, for audit
};
/// `tee` is that of the challenge. Errors: TeeKeyNotAccepted, TeeMismatch (the evidence is another TEE's),
/// EvidenceMalformed (members of the evidence), RequestMalformed.
Result<AttestationRequest> ParseAttestationRequest(std::string_view body, std::string_view tee);

/// What REPORT_DATA must be: H(JCS{additional-evidence, nonce, tee-pubkey}), kbs-protocol.md 2.1.
snp::ReportData ExpectedReportData(std::string_view nonce_text, const codec::Json& tee_pubkey,
                                   std::string_view additional_evidence);

/// The entry portcullis.json of init-data: which release the guest was admitted for.
struct ReleaseClaim {
  std::string release_id, namespace_name, service_account, policy, key, resource;
};
/// Error: InitDataMismatch.
Result<ReleaseClaim> ParseReleaseClaim(const codec::InitData& init_data);

/// 32 lower-case hex digits.
bool IsReleaseId(std::string_view text);

}  // namespace portcullis::release

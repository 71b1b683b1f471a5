#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "codec/init_data.h"
#include "codec/json.h"
#include "crypto/digest.h"
#include "crypto/jwk.h"
#include "evidence/azure/reference_values.h"
#include "evidence/check.h"
#include "policy/evidence.h"

namespace portcullis::policy {

inline constexpr std::size_t kMaxPolicyBytes = 256 * 1024;
inline constexpr std::string_view kPolicyFormat = "portcullis.dev/policy.v1";
inline constexpr std::string_view kPolicyJwsType = "portcullis-policy+jws";
/// The init-data entry that the webhook writes anew for each pod: no policy pins it, the broker checks it.
inline constexpr std::string_view kReleaseEntry = "portcullis.json";

enum class Delivery : std::uint8_t { kSecret, kDirect };

/// Who may hold a key: namespace and service account, with init-data entries pinned by digest.
struct SubjectRule {
  std::string namespace_name, service_account;
  /// Name of an entry -> allowed digests of its text.
  std::map<std::string, std::set<crypto::Sha256Digest>> init_data;
};

/// The document under spec.policy of a ReleasePolicy, complete: what it does not say is not allowed, and
/// there is no member with a default. docs/reference/policy.md has an example and each field.
struct Policy {
  std::string namespace_name, name;
  std::int64_t revision;          // 1..2^53-1
  std::string asset_class;        // ModelWeights, Adapter, Dataset, Credential
  std::vector<std::string> keys;  // names of ModelKeys in the policy's namespace
  std::vector<SubjectRule> subjects;
  // Rules of each TEE that is served; at least one.
  std::optional<snp::ReferenceValues> snp;
  std::optional<tdx::ReferenceValues> tdx;
  std::optional<azure::SnpReferenceValues> az_snp;
  std::optional<azure::TdxReferenceValues> az_tdx;
  std::chrono::seconds challenge_lifetime;  // 10..300
  std::chrono::seconds lease;               // 60..30 days
  std::int64_t max_releases;                // per release id, 1..1000
  Delivery delivery;
  crypto::Sha256Digest digest;  // SHA-256 of the RFC 8785 form
};

/// Errors: PolicyIncomplete (a field missing, empty, unknown or out of range, with its path),
/// RequestMalformed.
Result<Policy> ParsePolicy(const codec::Json& document);

/// Verifies that one of `signatures` (detached JWS over the RFC 8785 form) is by `authority`.
/// Errors: PolicySignatureInvalid (none verifies), PolicyAuthorityMismatch (signed, by kids of others only).
Result<> VerifySignature(const codec::Json& document, const std::vector<std::string>& signatures,
                         const crypto::EcPublicKey& authority);
std::string SignPolicy(const codec::Json& document, const crypto::EcPrivateKey& authority);

/// Who asks, as registered by the control plane and bound by init-data.
struct Requester {
  std::string namespace_name, service_account;
  std::string key_name;
  codec::InitData init_data;                // as presented by the guest
  crypto::Sha256Digest admitted_init_data;  // as registered at admission
};

/// The verdict over one attestation: every finding, evidence and policy alike.
struct Appraisal {
  evidence::ProofTree tree;
  codec::Json claims;
  std::vector<std::string> not_proven;
};

/// Rows: those of the evidence's TEE, under the policy's rules for it (without any only the baseline runs,
/// for display), with the digest of the presented init-data in HOST_DATA, MRCONFIGID or PCR 8; then
/// "policy.tee-allowed", "policy.key-allowed", "policy.subject-allowed", "policy.init-data-algorithm" (one
/// that the TEE's register can hold), "policy.init-data-admitted" (digest of the presented text is the
/// admitted one), "policy.init-data-entries" (each but kReleaseEntry pinned, each pin present).
///
/// `report_data` is what the evidence must carry: for SNP and TDX all 64 bytes, for a vTPM's quote its whole
/// extraData. Of another size it can't be carried, so the rows of the policy stay open, which denies.
Appraisal Appraise(const Policy& policy, const Requester& requester, const Evidence& evidence,
                   Bytes report_data, const TrustSources& trust, WallTime now);

/// The "policy." rows above with reason and source: for docs and golden tests.
std::vector<evidence::Finding> RequestCheckRows();

/// One paragraph a rule, for `portcullis policy explain`.
std::string Explain(const Policy& policy);

}  // namespace portcullis::policy

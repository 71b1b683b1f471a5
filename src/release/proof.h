#pragma once

#include "codec/json.h"
#include "evidence/check.h"

namespace portcullis::release {

/// A row of the broker's own, beside those of the evidence and the policy.
struct RequestRow {
  evidence::TableText id;
  ReasonCode reason;
  evidence::TableText source;

  evidence::Finding Find(bool passed, std::string expected, std::string actual) const;
  evidence::Finding Refuse(std::string expected, std::string actual) const {
    return Find(false, std::move(expected), std::move(actual));
  }
};

inline constexpr RequestRow kRegistered{"release.registered", ReasonCode::kReleaseUnknown,
                                        "docs/reference/api.md"};
inline constexpr RequestRow kPolicyAccepted{"release.policy-accepted", ReasonCode::kPolicyMissing,
                                            "docs/reference/api.md"};
inline constexpr RequestRow kPolicyIntact{"release.policy-intact", ReasonCode::kPolicySignatureInvalid,
                                          "docs/operations.md"};
inline constexpr RequestRow kInitDataNamesIt{"release.init-data-names-it", ReasonCode::kInitDataMismatch,
                                             "docs/reference/api.md"};
inline constexpr RequestRow kPolicyAuthority{"release.policy-authority", ReasonCode::kPolicyAuthorityMismatch,
                                             "DESIGN.md section 1"};
inline constexpr RequestRow kLive{"release.live", ReasonCode::kRevoked, "docs/reference/api.md"};
inline constexpr RequestRow kLimit{"release.limit", ReasonCode::kReleaseLimitReached,
                                   "docs/reference/api.md"};
inline constexpr RequestRow kChallengeUnused{"session.challenge-unused", ReasonCode::kChallengeReused,
                                             "docs/reference/api.md"};
inline constexpr RequestRow kChallengeInTime{"session.challenge-in-time", ReasonCode::kChallengeExpired,
                                             "docs/reference/api.md"};
inline constexpr RequestRow kKeyAvailable{"release.key-available", ReasonCode::kKeyUnavailable,
                                          "docs/reference/api.md"};

/// Of what a check expected and what it saw, this much is stored: a guest may have written it.
inline constexpr std::size_t kMaxStoredText = 4096;

/// A proof tree as it is stored: [["id","outcome","expected","actual"]...]. Reasons and sources are the
/// tables', and half of the text; what is longer than kMaxStoredText ends with an ellipsis.
void WriteProof(const evidence::ProofTree& tree, codec::JsonWriter& out);
/// A stored tree as every output shows it (evidence::ProofTree::ToJson()). A row that no table has any more
/// keeps what was stored.
codec::Json ShownProof(codec::Json stored);

}  // namespace portcullis::release

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace portcullis::metrics {

enum class Kind : std::uint8_t { kCounter, kGauge, kHistogram };
std::string_view NameOf(Kind kind);  // "counter", ...

/// Which programs expose a family; a set of bits.
using Components = std::uint8_t;
inline constexpr Components kBroker = 1, kController = 2, kWebhook = 4;
inline constexpr Components kEvery = 0xFF;  // also of a component that has no families of its own
/// The bits of "kbs", "controller", "webhook" or "operator" (controller and webhook); 0 for any other name.
Components ComponentsNamed(std::string_view component);

/// Every family that Portcullis counts itself, in the order of their rows. process_* are read, not counted.
enum class FamilyId : std::uint8_t {
  kBuildInfo,
  kDecisions,
  kAttestationDuration,
  kKeyReleasesTotal,
  kRevocations,
  kChallengeRejections,
  kPoliciesAccepted,
  kPolicyRevision,
  kAuditSequence,
  kAuditCommit,
  kCollateralExpiry,
  kCollateralFetches,
  kCollateralEvaluationNumber,
  kHttpRequests,
  kHttpRejected,
  kKeyReleases,
  kTimeToKey,
  kEventsDropped,
  kWebhookAdmissions,
  kWebhookDuration,
  kWebhookCertificateExpiry,
  kWorkQueueDepth,
  kWorkQueueAdds,
  kWorkQueueWait,
  kWorkQueueWork,
  kWorkQueueRetries,
  kRestClientRequests,
  kLeader,
};
inline constexpr std::size_t kFamilyCount = static_cast<std::size_t>(FamilyId::kLeader) + 1;

inline constexpr std::size_t kMaxLabels = 3;

/// A row of the one table that names every metric (metrics.cpp).
struct Declaration {
  FamilyId id;
  std::string_view name;
  Kind kind;
  Components components;
  std::array<std::string_view, kMaxLabels> labels;  // "" ends them
  std::span<const double> buckets;                  // of a histogram: upper bounds, seconds
  std::string_view help;
};

std::span<const Declaration> Declarations();

}  // namespace portcullis::metrics

#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "kube/kube.h"

namespace portcullis::kube {

// What a user writes on a pod.
inline constexpr std::string_view kPolicyLabel = "portcullis.dev/policy";  // name of a ReleasePolicy
inline constexpr std::string_view kKeyLabel =
    "portcullis.dev/key";  // name of a ModelKey; else the policy's only one
// What the webhook writes on a pod.
inline constexpr std::string_view kReleaseIdLabel = "portcullis.dev/release-id";  // 32 hex digits
inline constexpr std::string_view kInitDataDigestAnnotation =
    "portcullis.dev/init-data-digest";  // "sha256:<hex>"
inline constexpr std::string_view kInitDataAnnotation = "io.katacontainers.config.hypervisor.cc_init_data";
// The Secret that holds a sealed key.
inline constexpr std::string_view kSealedKeySecretType = "portcullis.dev/sealed-key";
inline constexpr std::string_view kSealedKeySecretField = "key.jwe";

// Limits of the CRDs' schemas, in characters; an API server refuses a status beyond them.
inline constexpr std::size_t kMaxReasons = 64;
inline constexpr std::size_t kMaxFailedChecks = 64;
inline constexpr std::size_t kMaxCheckText = 1024;  // expected, actual
inline constexpr std::size_t kMaxNotProven = 32;
inline constexpr std::size_t kMaxNotProvenText = 512;

std::string SecretNameFor(std::string_view release_id);  // "portcullis-<release id>"
/// 32 lower-case hex digits, as the webhook draws them.
bool IsReleaseId(std::string_view text);

// Reading what the API server has validated: "" where absent.
ObjectKey KeyOf(const codec::Json& object);
std::string_view UidOf(const codec::Json& object);
std::string_view ResourceVersionOf(const codec::Json& object);
std::string_view LabelOf(const codec::Json& object, std::string_view name);
std::string_view AnnotationOf(const codec::Json& object, std::string_view name);
std::int64_t GenerationOf(const codec::Json& object);  // 0 where absent
bool IsBeingDeleted(const codec::Json& object);

/// "v1" or "portcullis.dev/v1alpha1".
std::string ApiVersionOf(const Resource& resource);
/// {"apiVersion","kind","metadata":{"namespace","name"}}, to be completed.
codec::Json NewObject(const Resource& resource, const ObjectKey& key);
/// An entry of metadata.ownerReferences: `owner` keeps the dependant alive, and its deletion never waits for
/// it. The kind is named by `resource`, since items of a list do not say theirs.
codec::Json OwnerReferenceTo(const Resource& resource, const codec::Json& owner);

enum class ConditionStatus : std::uint8_t { kTrue, kFalse, kUnknown };
std::string_view NameOf(ConditionStatus status);  // "True", "False", "Unknown"

struct Condition {
  std::string_view type;  // "Ready"
  ConditionStatus status;
  std::string_view reason;  // CamelCase: NameOf(ReasonCode) where it says no
  std::string message;      // for people; cut to 1024 bytes
};

/// Sets one condition in `status.conditions` (meta/v1 Condition). lastTransitionTime moves only when the
/// status flips. True where something changed, so that a write that changes nothing can be left out.
bool SetCondition(codec::Json& status, const Condition& condition, std::int64_t generation, WallTime now);
/// The condition of this type in `status`; nullptr where there is none.
const codec::Json* FindCondition(const codec::Json& status, std::string_view type);
bool IsConditionTrue(const codec::Json& status, std::string_view type);

/// `text` cut to at most `max_bytes` without splitting a character.
std::string CutText(std::string_view text, std::size_t max_bytes);

}  // namespace portcullis::kube

#pragma once

#include <set>
#include <string>

#include "codec/json.h"
#include "operator/admission/agent_user.h"
#include "operator/admission/pod_rules.h"

namespace portcullis::control {

// What the webhook puts into a pod (docs/reference/api.md), used by the mutating side to write and by the
// validating side to compare.
inline constexpr std::string_view kAgentName = "portcullis-agent";
inline constexpr std::string_view kKeyVolumeName = "portcullis-keys";
inline constexpr std::string_view kKeyDirectory = "/run/portcullis";
inline constexpr std::string_view kSealedKeyVariable = "PORTCULLIS_SEALED_KEY";
inline constexpr std::string_view kClaimEntry = "portcullis.json";

codec::Json AgentContainer(const std::string& image, const AgentUser& user);
codec::Json KeyVolume();
codec::Json KeyMount(bool read_only);
codec::Json SealedKeyVariable(const std::string& release_id);
/// The init-data entry portcullis.json.
codec::Json ClaimFor(const codec::Json& pod, const std::string& guest_url, const BrokerIdentity& broker,
                     const std::string& release_id, const std::string& namespace_name,
                     const WantedKey& wanted);
/// Why neither side admits anything before the broker's identity is known.
Error BrokerUnknown();

}  // namespace portcullis::control

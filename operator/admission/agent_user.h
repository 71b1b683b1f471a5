#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codec/json.h"

namespace portcullis::control {

/// As whom the agent runs, and who may read the key file that it writes (mode 0400, else 0440). It runs as
/// root, since the kernel lets no other user write to configfs-tsm, and gives the file to the user of the
/// main containers; where each of these has runAsNonRoot, it is that user itself.
struct AgentUser {
  bool root = true;
  std::optional<std::int64_t> user;   // of the main containers; of the first one where they differ
  std::optional<std::int64_t> group;  // where all main containers have the same
  bool group_readable = false;        // by the pod's fsGroup, which the key volume hands to its files
  std::vector<std::string> warnings;  // what the pod's author should know; at most 256 bytes each
};

/// Reads securityContext of the pod and its containers as kubelet does: the container's value, else the
/// pod's, else unknown, since the image has one of its own.
AgentUser AgentUserFor(const codec::Json& pod);

}  // namespace portcullis::control

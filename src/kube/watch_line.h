#pragma once

#include <string>
#include <string_view>

#include "codec/json.h"

namespace portcullis::kube {

// An object is at most 1.5 MiB in etcd; as JSON with managedFields it stays below twice that.
inline constexpr std::size_t kMaxWatchLineBytes = 4u << 20;

enum class WatchType : std::uint8_t { kAdded, kModified, kDeleted, kBookmark };
std::string_view NameOf(WatchType type);  // "ADDED", ...

struct WatchEvent {
  WatchType type;
  std::string resource_version;
  codec::Json object;
};

/// One line of a watch. An ERROR line is the Error that it reports. Unreachable for anything else that is no
/// event: such a line is what a cut stream leaves, and to watch again is right.
Result<WatchEvent> ParseWatchLine(std::string_view line);

}  // namespace portcullis::kube

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/store.h"

namespace portcullis::release {

/// Which clusters mirror an object. One broker serves several clusters, and what all of them mirror goes only
/// when the last one withdraws it. "" is a mirror too: that of a caller who names no cluster.
enum class MirrorKind : std::uint8_t { kKey, kPolicy };

struct ObjectName {
  std::string namespace_name, name;
};

/// True where the cluster did not mirror it before.
Result<bool> AddMirror(store::Transaction& transaction, MirrorKind kind, const ObjectName& object,
                       const std::string& cluster);
/// True where the cluster mirrored it.
Result<bool> RemoveMirror(store::Transaction& transaction, MirrorKind kind, const ObjectName& object,
                          const std::string& cluster);
/// By this cluster, or by nobody's in particular, which is for all.
Result<bool> IsMirroredFor(store::Transaction& transaction, MirrorKind kind, const ObjectName& object,
                           const std::string& cluster);
/// By whichever cluster.
Result<bool> IsMirrored(store::Transaction& transaction, MirrorKind kind, const ObjectName& object);
/// A page in order of namespace and name, of what `cluster` mirrors, or any cluster where it is nullopt.
Result<std::vector<ObjectName>> Mirrored(store::Transaction& transaction, MirrorKind kind,
                                         const std::optional<std::string>& cluster, const ObjectName& after,
                                         std::int64_t limit);

}  // namespace portcullis::release

#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

/// The store's dealings with a file system: bounded, and whole or not at all.
namespace portcullis::endorsement {

inline constexpr std::size_t kMaxFiles = 100'000;  // below one directory

/// A regular file below a directory; `stamp` changes when it is replaced.
struct FoundFile {
  std::string path;  // relative
  std::uint64_t size;
  std::string stamp;
  bool operator==(const FoundFile&) const = default;
};

/// Every regular file below `directory`, sorted by path, at most kMaxFiles and four levels deep. Names with a
/// dot in front are passed over: unfinished writes, and what Kubernetes keeps beside a mounted ConfigMap.
/// Error: ConfigurationInvalid.
Result<std::vector<FoundFile>> FilesBelow(const std::string& directory);

/// Error: ConfigurationInvalid (can't be read), EvidenceMalformed (more than `max_bytes`).
Result<ByteBuffer> ReadBounded(const std::string& path, std::size_t max_bytes);

/// Replaces or makes the file, with the folders above it: a reader sees the old bytes or the new ones, also
/// after a power cut. Error: ConfigurationInvalid.
Result<> WriteWhole(const std::string& path, Bytes content);

/// True where the file is gone afterwards.
bool Remove(const std::string& path);

}  // namespace portcullis::endorsement

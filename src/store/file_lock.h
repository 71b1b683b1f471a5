#pragma once

#include <string>
#include <utility>

#include "base/result.h"

namespace portcullis::store {

/// An exclusive advisory lock on a file of its own, held as long as this object and given up by the kernel
/// when the process dies, however it dies. Moves only.
class FileLock {
 public:
  /// Creates `path` (mode 0600) as needed. Error: ConfigurationInvalid (can't be made; another process holds
  /// it).
  static Result<FileLock> Acquire(const std::string& path);

  ~FileLock();
  FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileLock& operator=(FileLock&&) = delete;

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace portcullis::store

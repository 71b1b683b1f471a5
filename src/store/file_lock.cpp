#include "store/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace portcullis::store {

Result<FileLock> FileLock::Acquire(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0)
    return Error{ReasonCode::kConfigurationInvalid, "the lock file beside the database can't be opened",
                 Quoted(path)};
  FileLock lock(descriptor);
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0)
    return Error{ReasonCode::kConfigurationInvalid, "another process uses the database", Quoted(path)};
  return lock;
}

FileLock::~FileLock() {
  // The file stays: removing it would let two processes lock two files of the same name.
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace portcullis::store

#include "store/sqlite_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace portcullis::store {
namespace {

Error Invalid(StaticText text, const std::string& path) {
  return Error{ReasonCode::kConfigurationInvalid, text, Quoted(path)};
}

Result<> Create(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0)
    return Invalid("the database can't be created: its directory must exist and be writable", path);
  close(file);
  // The name must survive a power cut as the first commit does.
  const std::string parent = std::filesystem::path(path).parent_path();
  const int directory = open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = directory >= 0 && fsync(directory) == 0;
  if (directory >= 0) close(directory);
  if (!synced)
    return Error{ReasonCode::kAuditUnavailable, "the database's directory can't be synced", Quoted(path)};
  return Done{};
}

}  // namespace

// The file is looked at by name and never opened here: closing any descriptor of it drops SQLite's locks.
Result<> PrepareDatabaseFile(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) {
    if (errno != ENOENT) return Invalid("the database can't be looked at", path);
    return Create(path);
  }
  if (!S_ISREG(status.st_mode)) return Invalid("the database is not a regular file", path);
  // Kubernetes adds group bits to the files of a volume with fsGroup at each mount: taken away, not refused.
  const mode_t owner_only = status.st_mode & 0700;
  if ((status.st_mode & 07777) != owner_only && chmod(path.c_str(), owner_only) != 0)
    return Invalid("the database is open to others and its mode can't be changed (chmod 0600)", path);
  if (access(path.c_str(), R_OK | W_OK) != 0)
    return Invalid("the database is not readable and writable", path);
  return Done{};
}

}  // namespace portcullis::store

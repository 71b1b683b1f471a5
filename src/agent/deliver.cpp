#include "agent/deliver.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace portcullis::agent {
namespace {

Error FromErrno(StaticText what, const std::string& where) {
  return {ReasonCode::kInternalError, what, where + ", errno " + std::to_string(errno)};
}

bool WriteAll(int fd, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

bool IsFileName(const std::string& name) {
  return !name.empty() && name.size() <= 253 && name.front() != '.' && name.find('/') == std::string::npos;
}

/// Lets the readers in, on a file that does not have its name yet.
Result<> Admit(int fd, const Readers& readers, const std::string& path) {
  // The mode first: a file that was given away is no longer ours to change. Of open() the umask takes a part.
  if (fchmod(fd, readers.group ? 0440 : 0400) != 0)
    return FromErrno("the key file's mode can't be set", path);
  if (readers.owner && fchown(fd, *readers.owner, static_cast<gid_t>(-1)) != 0)
    return FromErrno("the key file can't be given to its owner", path);
  return Done{};
}

}  // namespace

Result<> DeliverAsFile(const SecretBytes& key, const std::string& directory, const std::string& name,
                       const Readers& readers) {
  if (!IsFileName(name)) return Error{ReasonCode::kConfigurationInvalid, "not a file name", Quoted(name)};
  struct statfs filesystem {};
  if (statfs(directory.c_str(), &filesystem) != 0)
    return FromErrno("the key directory can't be read", directory);
  if (filesystem.f_type != TMPFS_MAGIC && filesystem.f_type != RAMFS_MAGIC)
    return Error{ReasonCode::kConfigurationInvalid,
                 "the key directory is not on tmpfs; use an emptyDir with medium: Memory", directory};

  const std::string path = directory + "/" + name;
  // Of one length for every name: a name may be as long as the file system takes. No key's name begins with a
  // dot.
  const std::string temporary = directory + "/.portcullis-new";
  (void)unlink(temporary.c_str());
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
  if (fd < 0) return FromErrno("the key file can't be made", temporary);
  const bool written = key.Expose([fd](Bytes bytes) { return WriteAll(fd, bytes); });
  Result<> delivered =
      written ? Admit(fd, readers, path) : Result<>(FromErrno("the key file can't be written", path));
  close(fd);
  if (delivered && rename(temporary.c_str(), path.c_str()) != 0)
    delivered = FromErrno("the key file can't be written", path);
  if (!delivered) (void)unlink(temporary.c_str());
  return delivered;
}

Error DeliverByExec(const SecretBytes& key, const std::vector<std::string>& command) {
  if (command.empty()) return {ReasonCode::kConfigurationInvalid, "no command to run"};
  const int fd = memfd_create("portcullis-key", MFD_ALLOW_SEALING);  // inherited on purpose: no MFD_CLOEXEC
  if (fd < 0) return FromErrno("the memory file can't be made", "memfd_create");
  if (!key.Expose([fd](Bytes bytes) { return WriteAll(fd, bytes); }) ||
      fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0 ||
      lseek(fd, 0, SEEK_SET) != 0)
    return FromErrno("the memory file can't be written", "memfd");
  if (setenv("PORTCULLIS_KEY_FD", std::to_string(fd).c_str(), 1) != 0)
    return FromErrno("the environment is full", "setenv");
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  return FromErrno("the command can't be run", command.front());
}

}  // namespace portcullis::agent

#include "agent/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace portcullis::agent {
namespace {

Error FromErrno(int error, const std::string& path) {
  if (error == EAGAIN || error == EBUSY || error == EINTR)
    return {ReasonCode::kOverloaded, "the kernel asks to try again", path};
  if (error == EACCES || error == EPERM)
    return {ReasonCode::kConfigurationInvalid, "this user may not access the file", path};
  if (error == EROFS)
    return {ReasonCode::kConfigurationInvalid, "the file system is mounted read-only", path};
  if (error == ENOENT) return {ReasonCode::kNotFound, "no such file", path};
  return {ReasonCode::kInternalError, "the file can't be accessed",
          path + ", errno " + std::to_string(error)};
}

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

Result<> SystemFiles::MakeDirectory(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0) return FromErrno(errno, path);
  return Done{};
}

Result<> SystemFiles::RemoveDirectory(const std::string& path) {
  if (rmdir(path.c_str()) != 0) return FromErrno(errno, path);
  return Done{};
}

Result<> SystemFiles::Write(const std::string& path, Bytes content) {
  const Descriptor file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.get() < 0) return FromErrno(errno, path);
  const ssize_t written = write(file.get(), content.data(), content.size());
  if (written < 0) return FromErrno(errno, path);
  if (static_cast<std::size_t>(written) != content.size())
    return Error{ReasonCode::kInternalError, "the kernel took only a part of the write", path};
  return Done{};
}

Result<ByteBuffer> SystemFiles::Read(const std::string& path, std::size_t max_bytes) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return FromErrno(errno, path);
  ByteBuffer out(max_bytes + 1);
  std::size_t size = 0;
  while (size < out.size()) {
    const ssize_t count = read(file.get(), out.data() + size, out.size() - size);
    if (count < 0) return FromErrno(errno, path);
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  if (size > max_bytes)
    return Error{ReasonCode::kEvidenceMalformed, "the file is larger than its limit", path};
  out.resize(size);
  return out;
}

}  // namespace portcullis::agent

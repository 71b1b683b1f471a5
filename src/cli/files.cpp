#include "cli/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace portcullis::cli {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }

 private:
  int value_;
};

Error CannotUse(StaticText what, const std::string& path) {
  return Error{ReasonCode::kConfigurationInvalid, what, Quoted(path) + ": " + std::strerror(errno)};
}

Result<SecretBytes> ReadOpen(const Descriptor& file, const std::string& path, std::size_t max_bytes) {
  if (file.get() < 0) return CannotUse("the file can't be opened", path);
  return TRY_AT(Quoted(path), ReadDescriptor(file.get(), max_bytes));
}

}  // namespace

Result<SecretBytes> ReadDescriptor(int descriptor, std::size_t max_bytes) {
  SecretBytes buffer(max_bytes + 1);  // one more, to tell full from too much
  std::size_t used = 0;
  while (used < buffer.size()) {
    const ssize_t got = buffer.ExposeMutable(
        [&](std::span<std::byte> all) { return read(descriptor, all.data() + used, all.size() - used); });
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error{ReasonCode::kConfigurationInvalid, "can't be read", std::strerror(errno)};
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
  }
  if (used > max_bytes)
    return Error{ReasonCode::kRequestMalformed, "has more bytes than fit here",
                 "limit " + std::to_string(max_bytes)};
  buffer.ShrinkTo(used);
  return buffer;
}

Result<std::string> ReadFile(const std::string& path, std::size_t max_bytes) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const SecretBytes content = TRY(ReadOpen(file, path, max_bytes));
  return content.Expose([](Bytes bytes) { return ToText(bytes); });
}

Result<std::string> ReadHead(const std::string& path, std::size_t bytes) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return CannotUse("the file can't be opened", path);
  std::string head(bytes, '\0');
  const ssize_t got = pread(file.get(), head.data(), head.size(), 0);
  if (got < 0) return CannotUse("the file can't be read", path);
  head.resize(static_cast<std::size_t>(got));
  return head;
}

Result<SecretBytes> ReadSecretFile(const std::string& path, std::size_t max_bytes) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (file.get() >= 0 && fstat(file.get(), &status) != 0)
    return CannotUse("the file can't be looked at", path);
  if (file.get() >= 0 && (status.st_mode & 077) != 0)
    return Error{ReasonCode::kConfigurationInvalid,
                 "a key file must be its owner's alone; run chmod 600 on it", Quoted(path)};
  return ReadOpen(file, path, max_bytes);
}

Result<> WriteNewFile(const std::string& path, Bytes content, unsigned mode) {
  const Descriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (file.get() < 0) return CannotUse("the file can't be made; an existing one is never overwritten", path);
  if (fchmod(file.get(), mode) != 0) return CannotUse("the file's mode can't be set", path);
  while (!content.empty()) {
    const ssize_t put = write(file.get(), content.data(), content.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return CannotUse("the file can't be written", path);
    content = content.subspan(static_cast<std::size_t>(put));
  }
  if (fsync(file.get()) != 0) return CannotUse("the file can't be written", path);
  return Done{};
}

}  // namespace portcullis::cli

#include "kube/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace portcullis::kube {
namespace {

class OpenFile {
 public:
  explicit OpenFile(const std::string& path)
      : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY)) {}
  ~OpenFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  bool is_open() const { return descriptor_ >= 0; }
  /// Bytes read until the end or until `out` is full; -1 for an I/O error.
  ssize_t ReadInto(std::span<std::byte> out) const {
    std::size_t filled = 0;
    while (filled < out.size()) {
      const ssize_t got = ::read(descriptor_, out.data() + filled, out.size() - filled);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return -1;
      if (got == 0) break;
      filled += static_cast<std::size_t>(got);
    }
    return static_cast<ssize_t>(filled);
  }

 private:
  int descriptor_;
};

}  // namespace

Result<SecretBytes> ReadSecretFile(const std::string& path, std::size_t max_bytes) {
  const OpenFile file(path);
  if (!file.is_open()) return Error{ReasonCode::kConfigurationInvalid, "cannot open the file", Quoted(path)};
  SecretBytes content(max_bytes + 1);  // one more, so that a file over the limit shows
  const ssize_t size = content.ExposeMutable([&](std::span<std::byte> out) { return file.ReadInto(out); });
  if (size < 0) return Error{ReasonCode::kConfigurationInvalid, "cannot read the file", Quoted(path)};
  if (static_cast<std::size_t>(size) > max_bytes)
    return Error{ReasonCode::kConfigurationInvalid, "the file is too large", Quoted(path)};
  content.ShrinkTo(static_cast<std::size_t>(size));
  return content;
}

Result<std::string> ReadFile(const std::string& path, std::size_t max_bytes) {
  const SecretBytes content = TRY(ReadSecretFile(path, max_bytes));
  return content.Expose([](Bytes bytes) { return ToText(bytes); });
}

}  // namespace portcullis::kube

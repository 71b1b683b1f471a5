#include "keystore/kek_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "keystore/secret_text.h"

namespace portcullis::keystore {
namespace {

constexpr std::size_t kRawBytes = 32;
constexpr std::size_t kHexDigits = 64;
constexpr std::size_t kBase64Digits = 44;
constexpr std::size_t kMaxFileBytes = kHexDigits + 2;  // "\r\n" at most

Error Unusable(StaticText text) { return {ReasonCode::kKeyUnavailable, text}; }

class File {
 public:
  explicit File(const std::string& path)
      : descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

/// Looks at the file that is open, not at its name: the name may lead elsewhere a moment later.
Result<> CheckOwnerOnly(int descriptor) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode))
    return Unusable("the KEK is not a regular file");
  // kubelet mounts Secrets for root and lets a pod's user read them through the pod's group: no other way is
  // left to a process that is not root.
  const bool by_group = status.st_uid == 0 && geteuid() != 0;
  if ((status.st_mode & (by_group ? 037 : 077)) != 0)
    return Unusable("the KEK file is open to others than its owner: run chmod 0400 on it");
  if (status.st_uid != geteuid() && status.st_uid != 0)
    return Unusable("the KEK file belongs to another user: run chown on it");
  return Done{};
}

/// All of the file, which may be at most kMaxFileBytes.
Result<SecretBytes> ReadAll(int descriptor) {
  SecretBytes content(kMaxFileBytes + 1);
  std::size_t size = 0;
  const bool read_to_end = content.ExposeMutable([&](std::span<std::byte> buffer) {
    while (size < buffer.size()) {
      const ssize_t count = read(descriptor, buffer.data() + size, buffer.size() - size);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return count == 0;
      size += static_cast<std::size_t>(count);
    }
    return true;
  });
  if (!read_to_end) return Unusable("the KEK file can't be read");
  if (size > kMaxFileBytes)
    return Unusable("the KEK file is not 32 bytes, 64 hex digits or base64 of 32 bytes");
  content.ShrinkTo(size);
  return content;
}

Bytes WithoutLineEnd(Bytes text) {
  if (!text.empty() && text.back() == std::byte{'\n'}) text = text.first(text.size() - 1);
  if (!text.empty() && text.back() == std::byte{'\r'}) text = text.first(text.size() - 1);
  return text;
}

Result<SecretBytes> Decode(Bytes content) {
  if (content.size() == kRawBytes) return SecretBytes::CopyOf(content);
  const Bytes text = WithoutLineEnd(content);
  if (text.size() == kHexDigits) return DecodeSecretHex(text);
  if (text.size() == kBase64Digits) return DecodeSecretBase64(text);
  return Unusable("it has another length");
}

}  // namespace

Result<SecretBytes> ReadKekFile(const std::string& path) {
  const File file(path);
  if (file.descriptor() < 0) return Unusable("the KEK file can't be opened");
  TRY(CheckOwnerOnly(file.descriptor()));
  const SecretBytes content = TRY(ReadAll(file.descriptor()));
  auto key = content.Expose(Decode);
  if (!key || key->size() != kRawBytes)
    return Unusable("the KEK file is not 32 bytes, 64 hex digits or base64 of 32 bytes");
  // A file of zeros is what a failed generation leaves.
  const bool zeros = key->Expose(
      [](Bytes bytes) { return std::ranges::all_of(bytes, [](auto b) { return b == std::byte{0}; }); });
  if (zeros) return Unusable("the KEK is all zeros");
  return key;
}

}  // namespace portcullis::keystore

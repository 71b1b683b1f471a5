#include "endorsement/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace portcullis::endorsement {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxDepth = 4;
constexpr mode_t kFileMode = 0644;  // public documents

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }
  bool open() const { return value_ >= 0; }

 private:
  int value_;
};

Error CannotUse(StaticText what, const std::string& path) {
  return Error{ReasonCode::kConfigurationInvalid, what, Quoted(path) + ": " + std::strerror(errno)};
}

std::string StampOf(const struct stat& status) {
  return std::to_string(status.st_ino) + "." + std::to_string(status.st_mtim.tv_sec) + "." +
         std::to_string(status.st_mtim.tv_nsec) + "." + std::to_string(status.st_size);
}

bool SyncFolder(const std::string& path) {
  const Descriptor folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return folder.open() && fsync(folder.get()) == 0;
}

/// Makes the folders above a file, each durable in the one above it.
Result<> MakeFolders(const fs::path& folder) {
  if (folder.empty() || fs::is_directory(folder)) return Done{};
  TRY(MakeFolders(folder.parent_path()));
  if (mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST)
    return CannotUse("the folder can't be made", folder.string());
  const fs::path above = folder.parent_path();
  if (!SyncFolder(above.empty() ? "." : above.string()))
    return CannotUse("the folder can't be synced", folder.string());
  return Done{};
}

Result<> WriteAll(int file, Bytes content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t put = write(file, content.data(), content.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return CannotUse("the file can't be written", path);
    content = content.subspan(static_cast<std::size_t>(put));
  }
  if (fchmod(file, kFileMode) != 0 || fsync(file) != 0) return CannotUse("the file can't be written", path);
  return Done{};
}

}  // namespace

Result<std::vector<FoundFile>> FilesBelow(const std::string& directory) {
  std::vector<FoundFile> found;
  std::error_code error;
  fs::recursive_directory_iterator at(directory, fs::directory_options::follow_directory_symlink, error);
  if (error)
    return Error{ReasonCode::kConfigurationInvalid, "the directory can't be read", Quoted(directory)};
  for (const fs::recursive_directory_iterator end; at != end; at.increment(error)) {
    if (at.depth() >= kMaxDepth) at.disable_recursion_pending();
    if (at->path().filename().string().starts_with('.')) {
      at.disable_recursion_pending();
      continue;
    }
    struct stat status {};
    if (stat(at->path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    if (found.size() == kMaxFiles)
      return Error{ReasonCode::kConfigurationInvalid, "the directory holds too many files",
                   Quoted(directory)};
    found.push_back({fs::relative(at->path(), directory, error).string(),
                     static_cast<std::uint64_t>(status.st_size), StampOf(status)});
  }
  if (error)
    return Error{ReasonCode::kConfigurationInvalid, "the directory can't be read", Quoted(directory)};
  std::ranges::sort(found, {}, &FoundFile::path);
  return found;
}

Result<ByteBuffer> ReadBounded(const std::string& path, std::size_t max_bytes) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!file.open() || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode))
    return CannotUse("the file can't be read", path);
  if (static_cast<std::uint64_t>(status.st_size) > max_bytes)
    return Error{ReasonCode::kEvidenceMalformed, "the file is larger than any such document", Quoted(path)};
  ByteBuffer content(static_cast<std::size_t>(status.st_size));
  std::size_t used = 0;
  while (used < content.size()) {
    const ssize_t got = read(file.get(), content.data() + used, content.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return CannotUse("the file can't be read", path);
    used += static_cast<std::size_t>(got);
  }
  return content;
}

Result<> WriteWhole(const std::string& path, Bytes content) {
  const fs::path folder = fs::path(path).parent_path();
  TRY(MakeFolders(folder));
  std::string temporary = (folder / ".new-XXXXXX").string();
  const Descriptor file(mkostemp(temporary.data(), O_CLOEXEC));
  if (!file.open()) return CannotUse("a file can't be made beside it", path);
  Result<> written = WriteAll(file.get(), content, path);
  if (written && rename(temporary.c_str(), path.c_str()) != 0)
    written = CannotUse("the file can't be replaced", path);
  if (!written) {
    unlink(temporary.c_str());
    return written;
  }
  if (!SyncFolder(folder.empty() ? "." : folder.string()))
    return CannotUse("the folder can't be synced", path);
  return Done{};
}

bool Remove(const std::string& path) { return unlink(path.c_str()) == 0 || errno == ENOENT; }

}  // namespace portcullis::endorsement

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tests/lab/snp_lab.h"

namespace portcullis::lab {
namespace {

namespace fs = std::filesystem;

/// Held while one process generates and the others wait, since tests run as many processes at once.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& path)
      : descriptor_(open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600)) {
    crypto::Require(descriptor_ >= 0 && flock(descriptor_, LOCK_EX) == 0);
  }
  ~FolderLock() { close(descriptor_); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_;
};

LabPki LoadOrGenerate(const fs::path& folder) {
  mkdir(folder.c_str(), 0700);
  const FolderLock lock(folder / "lock");
  if (auto loaded = LabPki::Load(folder)) return std::move(loaded).value();
  LabPki made = LabPki::Generate();
  crypto::Require(made.Save(folder).has_value());
  return made;
}

}  // namespace

const LabPki& LabPki::Shared() {
  static const LabPki pki =
      LoadOrGenerate(fs::temp_directory_path() / ("portcullis-lab-pki-" + std::to_string(getuid())));
  return pki;
}

}  // namespace portcullis::lab

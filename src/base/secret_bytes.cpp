#include "base/secret_bytes.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <vector>

namespace portcullis {
namespace {

std::byte* MapLocked(std::size_t size) {
  void* mapped = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) std::abort();
  // Best effort: RLIMIT_MEMLOCK may be small; the other guards hold without it.
  (void)mlock(mapped, size);
  (void)madvise(mapped, size, MADV_DONTDUMP);
  (void)madvise(mapped, size, MADV_WIPEONFORK);
  return static_cast<std::byte*>(mapped);
}

/// Pages for secrets, mapped and locked once and used again: a mapping for each would cost five system calls
/// a key, and each would use up a page of what may be locked. What is free is zero. Its records lie outside,
/// so that a fork, which wipes the pages, does not break it. Thread-safe.
class LockedPool {
 public:
  /// Of the size class that `size` falls into; nullptr where that is none.
  std::byte* Take(std::size_t size) {
    const std::size_t index = ClassOf(size);
    if (index == kClasses.size()) return nullptr;
    const std::lock_guard lock(mutex_);
    if (free_[index].empty()) Refill(index);
    std::byte* const taken = free_[index].back();
    free_[index].pop_back();
    return taken;
  }
  /// False where Take() would not have given it. It must have been wiped.
  bool Return(std::byte* bytes, std::size_t size) {
    const std::size_t index = ClassOf(size);
    if (index == kClasses.size()) return false;
    const std::lock_guard lock(mutex_);
    free_[index].push_back(bytes);
    return true;
  }

 private:
  static constexpr std::array<std::size_t, 3> kClasses{64, 512, 4096};
  static constexpr std::size_t kChunk = 4096;

  static std::size_t ClassOf(std::size_t size) {
    return static_cast<std::size_t>(std::ranges::lower_bound(kClasses, size) - kClasses.begin());
  }
  void Refill(std::size_t index) {
    std::byte* const chunk = MapLocked(kChunk);
    const std::size_t step = kClasses[index];
    // Room for all that this class has: Return() can't fail for want of memory.
    chunks_[index] += 1;
    free_[index].reserve(chunks_[index] * (kChunk / step));
    for (std::size_t at = 0; at < kChunk; at += step) free_[index].push_back(chunk + at);
  }

  std::mutex mutex_;
  std::array<std::vector<std::byte*>, kClasses.size()> free_;
  std::array<std::size_t, kClasses.size()> chunks_{};
};

/// Never destroyed: secrets of static storage may outlive it.
LockedPool& Pool() {
  static LockedPool* const pool = new LockedPool;
  return *pool;
}

std::size_t MappedSize(std::size_t size) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return (size + page - 1) / page * page;
}

}  // namespace

void Wipe(std::span<std::byte> bytes) {
  if (!bytes.empty()) explicit_bzero(bytes.data(), bytes.size());
}

SecretBytes::SecretBytes(std::size_t size) : size_(size) {
  if (size == 0) return;
  data_ = Pool().Take(size);
  if (data_ == nullptr) data_ = MapLocked(MappedSize(size));
}

SecretBytes::~SecretBytes() {
  if (data_ == nullptr) return;
  Wipe({data_, size_});
  if (!Pool().Return(data_, size_)) munmap(data_, MappedSize(size_));
}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  SecretBytes moved(std::move(other));
  std::swap(data_, moved.data_);
  std::swap(size_, moved.size_);
  return *this;
}

SecretBytes SecretBytes::TakeFrom(std::span<std::byte> source) {
  SecretBytes out = CopyOf(source);
  Wipe(source);
  return out;
}

SecretBytes SecretBytes::CopyOf(Bytes source) {
  SecretBytes out(source.size());
  if (!source.empty()) std::memcpy(out.data_, source.data(), source.size());
  return out;
}

void SecretBytes::ShrinkTo(std::size_t size) {
  if (size >= size_) return;
  SecretBytes smaller = CopyOf({data_, size});
  *this = std::move(smaller);
}

Result<> HardenProcess() {
  const rlimit none{0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0)
    return Error{ReasonCode::kInternalError, "core dumps can't be turned off"};
  if (prctl(PR_SET_DUMPABLE, 0) != 0)
    return Error{ReasonCode::kInternalError, "process can't be made non-dumpable"};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return Error{ReasonCode::kInternalError, "no_new_privs can't be set"};
  return Done{};
}

}  // namespace portcullis

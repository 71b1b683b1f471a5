#include "base/secret_bytes.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstring>

namespace portcullis {
namespace {

// One mapping a secret: pages can be locked and kept out of dumps without touching a neighbour's.
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
  void* mapped = mmap(nullptr, MappedSize(size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) std::abort();
  // Best effort: RLIMIT_MEMLOCK may be small; the other guards hold without it.
  (void)mlock(mapped, MappedSize(size));
  (void)madvise(mapped, MappedSize(size), MADV_DONTDUMP);
  (void)madvise(mapped, MappedSize(size), MADV_WIPEONFORK);
  data_ = static_cast<std::byte*>(mapped);
}

SecretBytes::~SecretBytes() {
  if (data_ == nullptr) return;
  Wipe({data_, size_});
  munmap(data_, MappedSize(size_));
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

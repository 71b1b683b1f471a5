#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "base/bytes.h"

namespace portcullis {

/// Overwrites memory in a way that the compiler may not remove.
void Wipe(std::span<std::byte> bytes);

/// Key bytes. Moves, never copies; wipes itself; has no comparison, stream or format. The memory is locked
/// and left out of core dumps as far as the system allows. Expose() is the only way in: a search for it is
/// the audit.
class SecretBytes {
 public:
  SecretBytes() = default;
  /// `size` zero bytes, to be filled through ExposeMutable.
  explicit SecretBytes(std::size_t size);
  ~SecretBytes();
  SecretBytes(SecretBytes&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;

  /// Copies bytes in and wipes the source.
  static SecretBytes TakeFrom(std::span<std::byte> source);
  /// Copies bytes in; the source stays as it is.
  static SecretBytes CopyOf(Bytes source);

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  template <typename Fn>
  decltype(auto) Expose(Fn&& fn) const {
    return std::forward<Fn>(fn)(Bytes(data_, size_));
  }
  template <typename Fn>
  decltype(auto) ExposeMutable(Fn&& fn) {
    return std::forward<Fn>(fn)(std::span<std::byte>(data_, size_));
  }
  /// Wipes all and keeps the first `size` bytes: for decryption into a buffer that was sized for the worst
  /// case.
  void ShrinkTo(std::size_t size);

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// What a process that holds secrets does first: no core dump, no ptrace by its own user, no privilege to
/// gain. Errors: InternalError, where the kernel refuses.
Result<> HardenProcess();

}  // namespace portcullis

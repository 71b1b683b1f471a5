#pragma once

#include <malloc.h>

#include <chrono>
#include <cstddef>
#include <thread>

namespace portcullis::http::test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kMemoryIsItsOwn = false;  // a sanitizer has its own allocator, and keeps what is freed
#else
inline constexpr bool kMemoryIsItsOwn = true;
#endif

/// What this process has asked for and not freed. Other than its resident memory it doesn't depend on what
/// the allocator keeps.
inline std::size_t BytesAllocated() {
  const struct mallinfo2 now = mallinfo2();
  return now.uordblks + now.hblkhd;
}

/// Whether not more than `limit` bytes are held beyond `before`, now or soon: other threads finish their
/// work.
inline bool HoldsAtMost(std::size_t before, std::size_t limit) {
  if (!kMemoryIsItsOwn) return true;
  for (int i = 0; i < 50; ++i) {
    if (BytesAllocated() <= before + limit) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

}  // namespace portcullis::http::test

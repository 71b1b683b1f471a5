#pragma once

// Replaces the global operator new of the executable that includes it, in one source file: counts what the
// calling thread asks for.
#include <cstddef>
#include <cstdlib>
#include <new>

namespace portcullis::test {

inline thread_local std::size_t allocations = 0;

/// How often `what` asks for memory.
template <typename What>
std::size_t AllocationsOf(What&& what) {
  const std::size_t before = allocations;
  what();
  return allocations - before;
}

}  // namespace portcullis::test

void* operator new(std::size_t size) {
  ++portcullis::test::allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

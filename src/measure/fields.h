#pragma once

#include <span>

#include "base/bytes.h"
#include "base/result.h"

/// Reading and writing structures whose offsets stand in the bytes themselves. All little-endian.
namespace portcullis::measure {

/// `size` bytes at `offset`. Error: RequestMalformed where the bytes end before.
inline Result<Bytes> SliceAt(Bytes bytes, std::uint64_t offset, std::uint64_t size) {
  if (offset > bytes.size() || size > bytes.size() - offset)
    return Error{ReasonCode::kRequestMalformed, "file ends before a structure in it does"};
  return bytes.subspan(offset, size);
}

template <std::unsigned_integral T>
T Little(std::span<const std::byte, sizeof(T)> bytes) {
  return FixedLayout<sizeof(T)>(bytes).template Field<T, 0>();
}

/// A number at `offset`. Error: as SliceAt.
template <std::unsigned_integral T>
Result<T> LittleAt(Bytes bytes, std::uint64_t offset) {
  const Bytes raw = TRY(SliceAt(bytes, offset, sizeof(T)));
  return Little<T>(raw.first<sizeof(T)>());
}

/// Writes a number; `offset` must lie inside.
template <std::unsigned_integral T>
void PutLittle(std::span<std::byte> out, std::size_t offset, T value) {
  const auto field = out.subspan(offset, sizeof(T));
  for (std::size_t i = 0; i < sizeof(T); ++i) field[i] = static_cast<std::byte>(value >> (8 * i) & 0xFF);
}

inline void PutBytes(std::span<std::byte> out, std::size_t offset, Bytes value) {
  std::ranges::copy(value, out.subspan(offset, value.size()).begin());
}

}  // namespace portcullis::measure

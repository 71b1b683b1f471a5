#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace portcullis {

using Bytes = std::span<const std::byte>;
using ByteBuffer = std::vector<std::byte>;

/// The bytes of a text, and the text of bytes. Views: they own nothing.
inline Bytes AsBytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }
inline std::string_view AsText(Bytes bytes) {
  return {static_cast<const char*>(static_cast<const void*>(bytes.data())), bytes.size()};
}
inline ByteBuffer ToBuffer(Bytes bytes) { return {bytes.begin(), bytes.end()}; }
inline std::string ToText(Bytes bytes) { return std::string(AsText(bytes)); }
inline bool SameBytes(Bytes a, Bytes b) { return std::ranges::equal(a, b); }  // public values only
inline void Append(ByteBuffer& out, Bytes bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

/// N public bytes with a meaning: the Tag keeps a measurement from being passed as a chip id.
template <typename Tag, std::size_t N>
class FixedBytes {
 public:
  static constexpr std::size_t kSize = N;

  constexpr FixedBytes() = default;
  constexpr explicit FixedBytes(const std::array<std::byte, N>& bytes) : bytes_(bytes) {}
  /// From exactly N bytes.
  static Result<FixedBytes> From(Bytes bytes) {
    if (bytes.size() != N) return Error{ReasonCode::kRequestMalformed, "value has the wrong length"};
    FixedBytes out;
    std::copy(bytes.begin(), bytes.end(), out.bytes_.begin());
    return out;
  }

  Bytes bytes() const { return bytes_; }
  constexpr const std::array<std::byte, N>& array() const { return bytes_; }
  constexpr bool IsZero() const {
    return std::ranges::all_of(bytes_, [](std::byte b) { return b == std::byte{0}; });
  }
  constexpr auto operator<=>(const FixedBytes&) const = default;

 private:
  std::array<std::byte, N> bytes_{};
};

template <typename T>
inline constexpr bool kIsFixedBytes = false;
template <typename Tag, std::size_t N>
inline constexpr bool kIsFixedBytes<FixedBytes<Tag, N>> = true;

/// A structure of fixed size, little-endian, read by offsets known at compile time: one past the end does not
/// compile. A view; the bytes must outlive it.
template <std::size_t Size>
class FixedLayout {
 public:
  explicit constexpr FixedLayout(std::span<const std::byte, Size> bytes) : bytes_(bytes) {}

  template <std::unsigned_integral T, std::size_t Offset>
  constexpr T Field() const {
    static_assert(Offset + sizeof(T) <= Size, "field outside the structure");
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i)
      value = static_cast<T>(value | static_cast<T>(static_cast<T>(bytes_[Offset + i]) << (8 * i)));
    return value;
  }
  template <typename T, std::size_t Offset>
  requires kIsFixedBytes<T>
  constexpr T Field() const {
    static_assert(Offset + T::kSize <= Size, "field outside the structure");
    std::array<std::byte, T::kSize> out{};
    for (std::size_t i = 0; i < T::kSize; ++i) out[i] = bytes_[Offset + i];
    return T(out);
  }
  /// Whether all bytes in [Begin, End) are zero.
  template <std::size_t Begin, std::size_t End>
  constexpr bool Zero() const {
    static_assert(Begin <= End && End <= Size, "range outside the structure");
    return std::all_of(bytes_.begin() + Begin, bytes_.begin() + End,
                       [](std::byte b) { return b == std::byte{0}; });
  }
  template <std::size_t Begin, std::size_t End>
  constexpr Bytes Slice() const {
    static_assert(Begin <= End && End <= Size, "range outside the structure");
    return bytes_.template subspan<Begin, End - Begin>();
  }

 private:
  std::span<const std::byte, Size> bytes_;
};

/// Bytes whose lengths come from the bytes themselves: bounded, allocation-free, insists on the end.
/// Errors: EvidenceMalformed where too few bytes are left, a limit is passed or bytes are left over.
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : rest_(bytes), size_(bytes.size()) {}

  std::size_t offset() const { return size_ - rest_.size(); }
  std::size_t remaining() const { return rest_.size(); }

  Result<Bytes> Take(std::size_t count) {
    if (count > rest_.size()) return Error{ReasonCode::kEvidenceMalformed, "bytes end before the field does"};
    const Bytes taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }
  template <std::unsigned_integral T>
  Result<T> TakeLittle() {
    const Bytes raw = TRY(Take(sizeof(T)));
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i)
      value = static_cast<T>(value | static_cast<T>(static_cast<T>(raw[i]) << (8 * i)));
    return value;
  }
  template <std::unsigned_integral T>
  Result<T> TakeBig() {
    const Bytes raw = TRY(Take(sizeof(T)));
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>((value << 8) | static_cast<T>(raw[i]));
    return value;
  }
  template <typename T>
  requires kIsFixedBytes<T> Result<T> TakeFixed() {
    const Bytes raw = TRY(Take(T::kSize));
    return T::From(raw);
  }
  /// A little-endian length of type T, then at most `limit` bytes.
  template <std::unsigned_integral T>
  Result<Bytes> TakeSized(std::size_t limit) {
    const T length = TRY(TakeLittle<T>());
    if (length > limit) return Error{ReasonCode::kEvidenceMalformed, "length is above its limit"};
    return Take(length);
  }
  /// Nothing may be left: trailing bytes are how two parsers come to disagree.
  Result<> Finish() const {
    if (!rest_.empty()) return Error{ReasonCode::kEvidenceMalformed, "bytes are left after the last field"};
    return Done{};
  }

 private:
  Bytes rest_;
  std::size_t size_;
};

}  // namespace portcullis

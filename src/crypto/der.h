#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"

namespace portcullis::crypto {

// Tags of ASN.1 types as they stand in DER.
inline constexpr std::uint8_t kDerBoolean = 0x01;
inline constexpr std::uint8_t kDerInteger = 0x02;
inline constexpr std::uint8_t kDerBitString = 0x03;
inline constexpr std::uint8_t kDerOctetString = 0x04;
inline constexpr std::uint8_t kDerNull = 0x05;
inline constexpr std::uint8_t kDerObjectId = 0x06;
inline constexpr std::uint8_t kDerSequence = 0x30;
inline constexpr std::uint8_t kDerSet = 0x31;

/// One DER element. Views into the bytes it was read from.
struct DerElement {
  std::uint8_t tag;
  Bytes content;
  Bytes whole;  // tag and length too
};

/// Reads DER elements one after the other: definite, minimal lengths and one-byte tags only, no allocation.
/// Error: EvidenceMalformed.
class DerReader {
 public:
  explicit DerReader(Bytes bytes) : rest_(bytes) {}

  bool AtEnd() const { return rest_.empty(); }
  /// The next tag; 0 at the end.
  std::uint8_t PeekTag() const { return rest_.empty() ? 0 : std::to_integer<std::uint8_t>(rest_.front()); }
  Result<DerElement> Next();
  /// The content of the next element, which must have this tag.
  Result<Bytes> Take(std::uint8_t tag);
  Result<> Finish() const;

 private:
  Bytes rest_;
};

/// Whether `bytes` is one element in DER (X.690 clauses 10 and 11), down to every primitive that is not
/// wrapped in an OCTET STRING: minimal lengths and integers, BOOLEAN 00 or FF, no constructed strings, zero
/// unused bits, minimal object identifiers, sorted sets. Elements with DEFAULT values need the schema and are
/// not seen here.
bool IsDer(Bytes bytes);

}  // namespace portcullis::crypto

#include "crypto/der.h"

namespace portcullis::crypto {
namespace {

constexpr std::size_t kMaxDepth = 24;  // an X.509 certificate needs about 8
constexpr std::uint8_t kConstructedBit = 0x20;
constexpr std::uint8_t kClassBits = 0xC0;

std::uint8_t At(Bytes bytes, std::size_t index) { return std::to_integer<std::uint8_t>(bytes[index]); }

bool IsMinimalInteger(Bytes content) {
  if (content.empty()) return false;
  if (content.size() == 1) return true;
  const bool sign_repeated =
      (At(content, 0) == 0x00 && At(content, 1) < 0x80) || (At(content, 0) == 0xFF && At(content, 1) >= 0x80);
  return !sign_repeated;
}

bool IsDerBitString(Bytes content) {
  if (content.empty()) return false;
  const std::uint8_t unused = At(content, 0);
  if (content.size() == 1) return unused == 0;
  return unused <= 7 && (At(content, content.size() - 1) & ((1u << unused) - 1)) == 0;
}

bool IsDerObjectId(Bytes content) {
  if (content.empty() || At(content, content.size() - 1) >= 0x80) return false;
  bool starts = true;  // of a subidentifier, which must not begin with a zero digit
  for (const std::byte octet : content) {
    if (starts && octet == std::byte{0x80}) return false;
    starts = octet < std::byte{0x80};
  }
  return true;
}

bool IsDerPrimitive(const DerElement& element) {
  switch (element.tag) {
    case kDerBoolean:
      return element.content.size() == 1 &&
             (At(element.content, 0) == 0x00 || At(element.content, 0) == 0xFF);
    case kDerInteger:
    case 0x0A:  // ENUMERATED
      return IsMinimalInteger(element.content);
    case kDerBitString:
      return IsDerBitString(element.content);
    case kDerNull:
      return element.content.empty();
    case kDerObjectId:
      return IsDerObjectId(element.content);
    case kDerOctetString:
    case 0x0C:  // UTF8String
    case 0x12:  // NumericString
    case 0x13:  // PrintableString
    case 0x14:  // TeletexString
    case 0x16:  // IA5String
    case 0x17:  // UTCTime
    case 0x18:  // GeneralizedTime
    case 0x1A:  // VisibleString
    case 0x1C:  // UniversalString
    case 0x1E:  // BMPString
      return true;
    default:
      return false;  // nothing else occurs in what is read here
  }
}

bool IsDerElement(const DerElement& element, std::size_t depth);

bool AreDerElements(const DerElement& parent, std::size_t depth) {
  DerReader in(parent.content);
  Bytes previous;
  while (!in.AtEnd()) {
    const auto child = in.Next();
    if (!child || !IsDerElement(*child, depth)) return false;
    const bool sorted = !std::ranges::lexicographical_compare(child->whole, previous);
    if (parent.tag == kDerSet && !sorted) return false;
    previous = child->whole;
  }
  return true;
}

bool IsDerElement(const DerElement& element, std::size_t depth) {
  if (depth > kMaxDepth) return false;
  const bool universal = (element.tag & kClassBits) == 0;
  if ((element.tag & kConstructedBit) == 0) return !universal || IsDerPrimitive(element);
  if (universal && element.tag != kDerSequence && element.tag != kDerSet) return false;
  return AreDerElements(element, depth + 1);
}

}  // namespace

Result<DerElement> DerReader::Next() {
  const auto malformed = [](StaticText text) { return Error{ReasonCode::kEvidenceMalformed, text}; };
  if (rest_.size() < 2) return malformed("DER ends before its element does");
  const std::uint8_t tag = At(rest_, 0);
  if ((tag & 0x1F) == 0x1F) return malformed("DER tag of more than one byte");
  std::size_t length = At(rest_, 1);
  std::size_t header = 2;
  if (length >= 0x80) {
    const std::size_t count = length & 0x7F;
    if (count == 0 || count > 3 || rest_.size() < 2 + count) return malformed("DER length of unknown form");
    length = 0;
    for (std::size_t i = 0; i < count; ++i) length = (length << 8) | At(rest_, 2 + i);
    const bool minimal = length >= 0x80 && (length >> (8 * (count - 1))) != 0;
    if (!minimal) return malformed("DER length is not minimal");
    header += count;
  }
  if (length > rest_.size() - header) return malformed("DER element is longer than its bytes");
  const DerElement element{tag, rest_.subspan(header, length), rest_.first(header + length)};
  rest_ = rest_.subspan(header + length);
  return element;
}

Result<Bytes> DerReader::Take(std::uint8_t tag) {
  const DerElement element = TRY(Next());
  if (element.tag != tag) return Error{ReasonCode::kEvidenceMalformed, "DER element of another type"};
  return element.content;
}

Result<> DerReader::Finish() const {
  if (!AtEnd()) return Error{ReasonCode::kEvidenceMalformed, "bytes are left after the last DER element"};
  return Done{};
}

bool IsDer(Bytes bytes) {
  DerReader in(bytes);
  const auto element = in.Next();
  return element && in.AtEnd() && IsDerElement(*element, 0);
}

}  // namespace portcullis::crypto

#include <array>

#include "codec/text.h"

namespace portcullis::codec {
namespace {

using Alphabet = std::string_view;
constexpr Alphabet kStandard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr Alphabet kUrl = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::uint8_t kNoDigit = 0xFF;
using DigitValues = std::array<std::uint8_t, 256>;

constexpr DigitValues ValuesOf(Alphabet alphabet) {
  DigitValues values{};
  values.fill(kNoDigit);
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  return values;
}
constexpr DigitValues kStandardValues = ValuesOf(kStandard);
constexpr DigitValues kUrlValues = ValuesOf(kUrl);

/// Six bits a digit, without padding.
std::string Encode(Bytes bytes, Alphabet alphabet) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const std::byte byte : bytes) {
    bits = (bits << 8) | std::to_integer<std::uint32_t>(byte);
    for (count += 8; count >= 6; count -= 6) out += alphabet[(bits >> (count - 6)) & 63u];
  }
  if (count > 0) out += alphabet[(bits << (6 - count)) & 63u];
  return out;
}

/// Decodes digits without padding. A text that another text decodes to the same bytes as would let one value
/// have two spellings, so unused bits must be zero.
Result<ByteBuffer> Decode(std::string_view digits, const DigitValues& values) {
  if (digits.size() % 4 == 1)
    return Error{ReasonCode::kRequestMalformed, "base64 text has an impossible length"};
  ByteBuffer out;
  out.reserve(digits.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : digits) {
    const std::uint8_t value = values[static_cast<unsigned char>(c)];
    if (value == kNoDigit) return Error{ReasonCode::kRequestMalformed, "base64 text has another character"};
    bits = (bits << 6) | value;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<std::byte>((bits >> count) & 0xFFu));
    }
  }
  if ((bits & ((1u << count) - 1)) != 0)
    return Error{ReasonCode::kRequestMalformed, "base64 text has unused bits that are not zero"};
  return out;
}

}  // namespace

std::string EncodeBase64(Bytes bytes) {
  std::string out = Encode(bytes, kStandard);
  while (out.size() % 4 != 0) out += '=';
  return out;
}

Result<ByteBuffer> DecodeBase64(std::string_view text) {
  if (text.size() % 4 != 0) return Error{ReasonCode::kRequestMalformed, "base64 text is not padded"};
  // At most two: a third would leave one digit, which Decode() refuses as it does "=" elsewhere.
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  return Decode(text, kStandardValues);
}

std::string EncodeBase64Url(Bytes bytes) { return Encode(bytes, kUrl); }

Result<ByteBuffer> DecodeBase64Url(std::string_view text) { return Decode(text, kUrlValues); }

}  // namespace portcullis::codec

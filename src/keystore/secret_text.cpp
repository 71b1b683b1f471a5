#include "keystore/secret_text.h"

#include <optional>

namespace portcullis::keystore {
namespace {

Error Malformed() { return {ReasonCode::kRequestMalformed, "the key's text is malformed"}; }

// Within(c, 'a', 'f'): comparisons, not tables, whose cache lines would tell of the key.
constexpr bool Within(char c, char first, char last) { return c >= first && c <= last; }

std::optional<unsigned> HexDigit(std::byte byte) {
  const char c = static_cast<char>(byte);
  if (Within(c, '0', '9')) return c - '0';
  if (Within(c, 'a', 'f')) return c - 'a' + 10;
  if (Within(c, 'A', 'F')) return c - 'A' + 10;
  return std::nullopt;
}

std::optional<unsigned> Base64Digit(std::byte byte) {
  const char c = static_cast<char>(byte);
  if (Within(c, 'A', 'Z')) return c - 'A';
  if (Within(c, 'a', 'z')) return c - 'a' + 26;
  if (Within(c, '0', '9')) return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return std::nullopt;
}

std::size_t PaddingOf(Bytes text) {
  std::size_t count = 0;
  while (count < 2 && count < text.size() && text[text.size() - 1 - count] == std::byte{'='}) ++count;
  return count;
}

}  // namespace

Result<SecretBytes> DecodeSecretHex(Bytes text) {
  if (text.size() % 2 != 0) return Malformed();
  SecretBytes out(text.size() / 2);
  return out.ExposeMutable([&](std::span<std::byte> bytes) -> Result<SecretBytes> {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const auto high = HexDigit(text[2 * i]), low = HexDigit(text[2 * i + 1]);
      if (!high || !low) return Malformed();
      bytes[i] = static_cast<std::byte>(*high << 4 | *low);
    }
    return std::move(out);
  });
}

Result<SecretBytes> DecodeSecretBase64(Bytes text) {
  if (text.size() % 4 != 0) return Malformed();
  const Bytes digits = text.first(text.size() - PaddingOf(text));
  SecretBytes out(digits.size() * 6 / 8);
  return out.ExposeMutable([&](std::span<std::byte> bytes) -> Result<SecretBytes> {
    unsigned pending = 0, pending_bits = 0;
    std::size_t written = 0;
    for (const std::byte character : digits) {
      const auto digit = Base64Digit(character);
      if (!digit) return Malformed();
      pending = pending << 6 | *digit;
      pending_bits += 6;
      if (pending_bits < 8) continue;
      pending_bits -= 8;
      bytes[written++] = static_cast<std::byte>(pending >> pending_bits);
      pending &= (1u << pending_bits) - 1;
    }
    if (pending != 0) return Malformed();
    return std::move(out);
  });
}

}  // namespace portcullis::keystore

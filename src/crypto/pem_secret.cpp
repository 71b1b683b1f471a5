#include "crypto/pem_secret.h"

#include "crypto/openssl.h"

namespace portcullis::crypto {
namespace {

constexpr std::size_t kBytesInLine = 48;  // 64 characters, RFC 7468 section 2
constexpr std::size_t kMaxPemBytes = 16 * 1024;
constexpr std::string_view kWhiteSpace = " \t\r\n";

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kWhiteSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kWhiteSpace) - begin + 1);
}

Error Malformed() { return Error{ReasonCode::kRequestMalformed, "private key is not one PEM block"}; }

/// base64 with line breaks to bytes; what lies between is a SecretBytes too.
Result<SecretBytes> DecodeBody(std::string_view body) {
  SecretBytes packed(body.size());  // the same without line breaks
  SecretBytes out(body.size());
  std::size_t length = 0;
  const bool well_formed = packed.ExposeMutable([&](std::span<std::byte> characters) {
    std::size_t count = 0;
    for (const char character : body)
      if (kWhiteSpace.find(character) == std::string_view::npos) characters[count++] = std::byte(character);
    if (count == 0 || count % 4 != 0) return false;
    const std::string_view text = AsText(characters.first(count));
    const std::size_t padding = count - 1 - text.find_last_not_of('=');
    if (padding > 2 || text.find('=') < count - padding) return false;
    length = out.ExposeMutable([&](std::span<std::byte> bytes) {
      const int size = EVP_DecodeBlock(Octets(bytes), Octets(characters), IntSize(count));
      return size < 0 ? 0 : static_cast<std::size_t>(size) - padding;
    });
    return length != 0;
  });
  if (!well_formed) return Malformed();
  out.ShrinkTo(length);
  return out;
}

}  // namespace

SecretBytes EncodeSecretPem(std::string_view label, const SecretBytes& der) {
  const std::string begin = "-----BEGIN " + std::string(label) + "-----\n";
  const std::string end = "-----END " + std::string(label) + "-----\n";
  const std::size_t lines = (der.size() + kBytesInLine - 1) / kBytesInLine;
  const std::size_t body = (der.size() + 2) / 3 * 4 + lines;
  // EVP_EncodeBlock ends each line with a NUL, which the line break overwrites.
  SecretBytes out(begin.size() + body + end.size());
  der.Expose([&](Bytes bytes) {
    out.ExposeMutable([&](std::span<std::byte> text) {
      auto rest = std::ranges::copy(AsBytes(begin), text.begin()).out;
      for (std::size_t at = 0; at < bytes.size(); at += kBytesInLine) {
        const Bytes line = bytes.subspan(at, std::min(kBytesInLine, bytes.size() - at));
        const int count = EVP_EncodeBlock(Octets(std::span(rest, line.size() / 3 * 4 + 5)), Octets(line),
                                          IntSize(line.size()));
        rest += count;
        *rest++ = std::byte{'\n'};
      }
      std::ranges::copy(AsBytes(end), rest);
    });
  });
  return out;
}

Result<SecretBytes> DecodeSecretPem(std::string_view label, const SecretBytes& pem) {
  if (pem.size() > kMaxPemBytes) return Malformed();
  const std::string begin = "-----BEGIN " + std::string(label) + "-----";
  const std::string end = "-----END " + std::string(label) + "-----";
  return pem.Expose([&](Bytes bytes) -> Result<SecretBytes> {
    const std::string_view text = Trim(AsText(bytes));
    if (text.size() < begin.size() + end.size() || !text.starts_with(begin) || !text.ends_with(end))
      return Malformed();
    return DecodeBody(text.substr(begin.size(), text.size() - begin.size() - end.size()));
  });
}

}  // namespace portcullis::crypto

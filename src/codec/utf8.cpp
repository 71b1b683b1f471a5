#include "codec/utf8.h"

#include <cstdint>
#include <cstring>

namespace portcullis::codec {
namespace {

/// What the lead byte says: how many bytes follow, and the range of the first of them (RFC 3629 section 4).
/// The other ones are 80..BF.
struct Sequence {
  std::size_t following;
  unsigned char low, high;
};

constexpr std::size_t kNoLead = 4;

constexpr Sequence SequenceOf(unsigned char lead) {
  if (lead < 0x80) return {0, 0, 0};
  if (lead < 0xC2) return {kNoLead, 0, 0};  // continuation bytes, and C0, C1 that could only be overlong
  if (lead < 0xE0) return {1, 0x80, 0xBF};
  if (lead == 0xE0) return {2, 0xA0, 0xBF};  // below would be overlong
  if (lead == 0xED) return {2, 0x80, 0x9F};  // above would be surrogates
  if (lead < 0xF0) return {2, 0x80, 0xBF};
  if (lead == 0xF0) return {3, 0x90, 0xBF};  // below would be overlong
  if (lead < 0xF4) return {3, 0x80, 0xBF};
  if (lead == 0xF4) return {3, 0x80, 0x8F};  // above U+10FFFF
  return {kNoLead, 0, 0};
}

constexpr std::uint64_t kOnes = 0x0101010101010101u, kTops = 0x8080808080808080u;

std::uint64_t EightBytes(const char* text) {
  std::uint64_t word;
  std::memcpy(&word, text, sizeof word);
  return word;
}

/// Whether eight bytes are eight characters: ASCII, as most text here is.
bool EightAscii(const char* text) { return (EightBytes(text) & kTops) == 0; }

/// A top bit in each byte below `bound`, up to the first such byte; what stands behind that is of no meaning.
constexpr std::uint64_t BytesBelow(std::uint64_t word, std::uint64_t bound) {
  return (word - kOnes * bound) & ~word & kTops;
}

bool IsPlain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

bool EightPlain(const char* text) {
  const std::uint64_t word = EightBytes(text);
  return ((word & kTops) | BytesBelow(word, 0x20) | BytesBelow(word ^ (kOnes * '"'), 1) |
          BytesBelow(word ^ (kOnes * '\\'), 1)) == 0;
}

/// Length of the character at the start of `text`, or 0 where there is none.
std::size_t CharacterLength(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const Sequence sequence = SequenceOf(byte(0));
  if (sequence.following == kNoLead || sequence.following >= text.size()) return 0;
  for (std::size_t i = 1; i <= sequence.following; ++i) {
    const unsigned char low = i == 1 ? sequence.low : 0x80;
    const unsigned char high = i == 1 ? sequence.high : 0xBF;
    if (byte(i) < low || byte(i) > high) return 0;
  }
  return sequence.following + 1;
}

}  // namespace

std::size_t ValidUtf8Prefix(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (text.size() - at >= 8 && EightAscii(text.data() + at)) {
      at += 8;
      continue;
    }
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    const std::size_t length = CharacterLength(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return at;
}

std::size_t PlainPrefix(std::string_view text) {
  std::size_t at = 0;
  while (text.size() - at >= 8 && EightPlain(text.data() + at)) at += 8;
  while (at < text.size() && IsPlain(text[at])) ++at;
  return at;
}

std::string RepairedUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t valid = ValidUtf8Prefix(text);
    out += text.substr(0, valid);
    text.remove_prefix(valid);
    if (text.empty()) break;
    out += "\xEF\xBF\xBD";
    text.remove_prefix(1);
  }
  return out;
}

}  // namespace portcullis::codec

#include "codec/utf8.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

namespace portcullis::codec {
namespace {

std::string Encoded(std::uint32_t c) {
  const auto byte = [](std::uint32_t value) { return static_cast<char>(value); };
  if (c < 0x80) return {byte(c)};
  if (c < 0x800) return {byte(0xC0 | c >> 6), byte(0x80 | (c & 0x3F))};
  if (c < 0x10000) return {byte(0xE0 | c >> 12), byte(0x80 | (c >> 6 & 0x3F)), byte(0x80 | (c & 0x3F))};
  return {byte(0xF0 | c >> 18), byte(0x80 | (c >> 12 & 0x3F)), byte(0x80 | (c >> 6 & 0x3F)),
          byte(0x80 | (c & 0x3F))};
}

TEST(Utf8, AcceptsEveryCharacterAndRefusesSurrogatesAndWhatIsBeyond) {
  for (std::uint32_t c = 0; c < 0x200000; ++c) {
    const bool is_character = c < 0xD800 || (c > 0xDFFF && c <= 0x10FFFF);
    ASSERT_EQ(IsValidUtf8(Encoded(c)), is_character) << std::hex << c;
  }
}

TEST(Utf8, RefusesOverlongFormsAndStrayBytes) {
  for (const std::string_view text :
       {"\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF",
        "\x80", "\xBF", "\xFE", "\xFF", "\xF5\x80\x80\x80", "\xF8\x88\x80\x80\x80", "\xC3", "\xE2\x82",
        "\xF0\x9D\x84", "\xC3(", "\xE2(\xA1", "\xE2\x82(", "\xF0\x9D\x84("})
    EXPECT_FALSE(IsValidUtf8(text));
}

TEST(Utf8, TellsWhereTheFirstDefectIs) {
  EXPECT_EQ(ValidUtf8Prefix(""), 0u);
  EXPECT_EQ(ValidUtf8Prefix("a\xC3\xA9z"), 4u);
  EXPECT_EQ(ValidUtf8Prefix("a\xC3\xA9\xC3"), 3u);
}

/// Exactly as many bytes as the text has, so that a sanitizer sees one read too many.
template <typename Function>
std::size_t OnExactBytes(std::string_view text, Function function) {
  const std::unique_ptr<char[]> bytes(new char[text.size()]);
  std::ranges::copy(text, bytes.get());
  return function(std::string_view(bytes.get(), text.size()));
}

TEST(Utf8, FindsADefectAtEachPlaceOfTextsOfEachLength) {
  for (std::size_t length = 0; length <= 24; ++length) {
    EXPECT_EQ(OnExactBytes(std::string(length, 'a'), ValidUtf8Prefix), length);
    for (std::size_t place = 0; place < length; ++place) {
      std::string text(length, 'a');
      text[place] = '\xFF';
      EXPECT_EQ(OnExactBytes(text, ValidUtf8Prefix), place) << length;
      text.replace(place, 1, "\xE2\x82\xAC");
      EXPECT_EQ(OnExactBytes(text, ValidUtf8Prefix), text.size()) << length << " at " << place;
      text.resize(place + 2);  // cut inside the character
      EXPECT_EQ(OnExactBytes(text, ValidUtf8Prefix), place) << length;
    }
  }
}

TEST(Utf8, RepairsByteByByteAndLeavesTheRest) {
  EXPECT_EQ(RepairedUtf8("a\xC3\xA9"), "a\xC3\xA9");
  EXPECT_EQ(RepairedUtf8("\xE2\x82z\xFF"), "\xEF\xBF\xBD\xEF\xBF\xBDz\xEF\xBF\xBD");
  EXPECT_TRUE(IsValidUtf8(RepairedUtf8("\xED\xA0\x80\xF5")));
}

TEST(PlainPrefix, EndsAtEachByteThatIsNotPlainAtEachPlace) {
  for (int byte = 0; byte < 256; ++byte) {
    const bool plain = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
    for (std::size_t length = 1; length <= 24; ++length)
      for (std::size_t place = 0; place < length; ++place) {
        std::string text(length, 'x');
        text[place] = static_cast<char>(byte);
        EXPECT_EQ(OnExactBytes(text, PlainPrefix), plain ? length : place) << byte << " at " << place;
        text[0] = '\n';
        EXPECT_EQ(OnExactBytes(text, PlainPrefix), 0u);
      }
  }
  EXPECT_EQ(PlainPrefix(""), 0u);
}

}  // namespace
}  // namespace portcullis::codec

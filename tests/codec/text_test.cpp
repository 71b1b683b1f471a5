#include "codec/text.h"

#include <gtest/gtest.h>

#include "tests/support/seeded_random.h"

namespace portcullis::codec {
namespace {

ReasonCode ReasonOf(const auto& result) { return result.error().code; }

// RFC 4648 section 10.
struct Vector {
  const char *plain, *base64, *hex;
};
constexpr Vector kVectors[] = {
    {"", "", ""},
    {"f", "Zg==", "66"},
    {"fo", "Zm8=", "666f"},
    {"foo", "Zm9v", "666f6f"},
    {"foob", "Zm9vYg==", "666f6f62"},
    {"fooba", "Zm9vYmE=", "666f6f6261"},
    {"foobar", "Zm9vYmFy", "666f6f626172"},
};

TEST(Base64, EncodesAndDecodesTheVectorsOfRfc4648) {
  for (const Vector& vector : kVectors) {
    EXPECT_EQ(EncodeBase64(AsBytes(vector.plain)), vector.base64);
    EXPECT_EQ(ToText(DecodeBase64(vector.base64).value()), vector.plain);
  }
}

TEST(Base64, RefusesEverySpellingButTheOne) {
  constexpr std::string_view kRefused[] = {
      "Zg",        // no padding
      "Zg=",       // too little
      "Zg===",     // too much
      "Zg======",  // a whole group of it
      "=",        "==",   "===",      "====", "Z===",
      "Zg==Zg==",  // padding inside
      "Zm=v",
      "Zh==",    // unused bits of one byte
      "Zm9=",    // unused bits of two bytes
      "Zm9v\n",  // white space
      " Zm9v",    "Zm 9", "Zm9v    ",
      "Zm-_",  // the alphabet of section 5
      "Zm9\x80",  "Zm9*",
  };
  for (const std::string_view text : kRefused) {
    SCOPED_TRACE(text);
    const auto decoded = DecodeBase64(text);
    ASSERT_FALSE(decoded);
    EXPECT_EQ(ReasonOf(decoded), ReasonCode::kRequestMalformed);
  }
  EXPECT_FALSE(DecodeBase64(std::string_view("Zm9\0", 4)));
}

TEST(Base64Url, HasItsOwnAlphabetAndNoPadding) {
  const ByteBuffer bytes{std::byte{0xFB}, std::byte{0xFF}, std::byte{0xBF}, std::byte{0xF0}};
  EXPECT_EQ(EncodeBase64(bytes), "+/+/8A==");
  EXPECT_EQ(EncodeBase64Url(bytes), "-_-_8A");
  EXPECT_EQ(DecodeBase64Url("-_-_8A").value(), bytes);
  for (const std::string_view text :
       {"-_-_8A==", "-_-_8A=", "+/+/8A", "-_-_8B", "-_-_8", "-_-_ 8A", "-_-_8A\n"}) {
    SCOPED_TRACE(text);
    ASSERT_FALSE(DecodeBase64Url(text));
    EXPECT_EQ(ReasonOf(DecodeBase64Url(text)), ReasonCode::kRequestMalformed);
  }
}

TEST(Base64, RefusesEveryChangeOfALastDigitThatKeepsTheBytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  int accepted_of_one = 0, accepted_of_two = 0;
  for (const char digit : kDigits) {
    accepted_of_one += DecodeBase64Url(std::string("Z") + digit).has_value();
    accepted_of_two += DecodeBase64Url(std::string("Zm") + digit).has_value();
  }
  EXPECT_EQ(accepted_of_one, 4);   // two bits of the second digit count
  EXPECT_EQ(accepted_of_two, 16);  // four bits of the third
}

TEST(Base64, RoundTripsRandomBytesOfEachLength) {
  test::SeededRandom random(test::PrintedSeed());
  for (std::size_t length = 0; length < 200; ++length) {
    const ByteBuffer bytes = random.Take(length);
    EXPECT_EQ(DecodeBase64(EncodeBase64(bytes)).value(), bytes);
    EXPECT_EQ(DecodeBase64Url(EncodeBase64Url(bytes)).value(), bytes);
    EXPECT_EQ(DecodeHex(EncodeHex(bytes)).value(), bytes);
  }
}

TEST(Hex, WritesLowerCaseAndReadsBoth) {
  for (const Vector& vector : kVectors) {
    EXPECT_EQ(EncodeHex(AsBytes(vector.plain)), vector.hex);
    EXPECT_EQ(ToText(DecodeHex(vector.hex).value()), vector.plain);
  }
  const ByteBuffer bytes{std::byte{0xAB}, std::byte{0xCD}, std::byte{0xEF}};
  EXPECT_EQ(EncodeHex(bytes), "abcdef");
  EXPECT_EQ(DecodeHex("ABCDef").value(), bytes);
}

TEST(Hex, RefusesOddLengthsAndOtherCharacters) {
  for (const std::string_view text : {"a", "abc", "0x12", "ab cd", "ab ", "g0", "0g", "ab\n0", "\xC3\xA9"}) {
    SCOPED_TRACE(text);
    ASSERT_FALSE(DecodeHex(text));
    EXPECT_EQ(ReasonOf(DecodeHex(text)), ReasonCode::kRequestMalformed);
  }
}

TEST(Hex, FixedBytesNeedExactlyTheirLength) {
  using Four = FixedBytes<struct FourTag, 4>;
  EXPECT_EQ(EncodeHex(FixedFromHex<Four>("00ff10a0").value().bytes()), "00ff10a0");
  EXPECT_FALSE(FixedFromHex<Four>("00ff10"));
  EXPECT_FALSE(FixedFromHex<Four>("00ff10a0b0"));
  EXPECT_FALSE(FixedFromHex<Four>(""));
  EXPECT_FALSE(FixedFromHex<Four>("00ff10zz"));
}

}  // namespace
}  // namespace portcullis::codec

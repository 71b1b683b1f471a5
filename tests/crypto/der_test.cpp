#include "crypto/der.h"

#include <gtest/gtest.h>

#include "codec/text.h"

namespace portcullis::crypto {
namespace {

bool IsDerHex(std::string_view hex) { return IsDer(codec::DecodeHex(hex).value()); }

TEST(DerReader, ReadsElementsInTheirOrder) {
  const ByteBuffer bytes = codec::DecodeHex("02010504020a0b").value();
  DerReader in(bytes);
  EXPECT_EQ(in.PeekTag(), kDerInteger);
  EXPECT_EQ(codec::EncodeHex(in.Take(kDerInteger).value()), "05");
  EXPECT_FALSE(in.Finish());
  EXPECT_EQ(codec::EncodeHex(in.Next().value().whole), "04020a0b");
  EXPECT_TRUE(in.Finish());
  EXPECT_EQ(in.PeekTag(), 0);
  EXPECT_FALSE(in.Next());
}

TEST(DerReader, RefusesAnotherTypeThanAsked) {
  const ByteBuffer bytes = codec::DecodeHex("020105").value();
  EXPECT_FALSE(DerReader(bytes).Take(kDerOctetString));
}

TEST(DerReader, TakesLengthsUpToThreeBytesInTheirShortestForm) {
  for (const std::size_t size : {0x7Fu, 0x80u, 0xFFu, 0x100u, 0xFFFFu, 0x10000u}) {
    char header[16];
    std::snprintf(header, sizeof header,
                  size < 0x80      ? "04%02zx"
                  : size < 0x100   ? "0481%02zx"
                  : size < 0x10000 ? "0482%04zx"
                                   : "0483%06zx",
                  size);
    ByteBuffer bytes = codec::DecodeHex(header).value();
    bytes.resize(bytes.size() + size);
    EXPECT_TRUE(DerReader(bytes).Next()) << size;
    bytes.pop_back();
    EXPECT_FALSE(DerReader(bytes).Next()) << size;
  }
}

struct Form {
  std::string_view name, good, bad;
};

constexpr Form kForms[] = {
    {"LengthNotMinimal", "040100", "04810100"},
    {"LengthWithLeadingZero", "040100", "0482000100"},
    {"LengthIndefinite", "3003020101", "30800201010000"},
    {"LengthOfFourBytes", "040100", "048400000001ff"},
    {"LengthReserved", "040100", "04ff00"},
    {"TagOfTwoBytes", "9e0100", "9f1f0100"},
    {"TrailingByte", "0500", "050000"},
    {"Truncated", "02020080", "020200"},
    {"Empty", "0500", ""},
    {"BooleanOtherThanFf", "0101ff", "010101"},
    {"BooleanOfTwoBytes", "010100", "01020000"},
    {"IntegerEmpty", "020100", "0200"},
    {"IntegerWithLeadingZero", "0202008f", "0202007f"},
    {"IntegerWithLeadingSign", "0202ff7f", "0202ff80"},
    {"EnumeratedNotMinimal", "0a0101", "0a020001"},
    {"BitStringEmpty", "030100", "0300"},
    {"BitStringUnusedWithoutBits", "030100", "030101"},
    {"BitStringUnusedAboveSeven", "03020780", "03020880"},
    {"BitStringUnusedBitsSet", "03020780", "03020781"},
    {"NullWithContent", "0500", "050100"},
    {"ObjectIdEmpty", "06012a", "0600"},
    {"ObjectIdUnfinished", "06022a01", "06022a81"},
    {"ObjectIdNotMinimal", "06032a8101", "06042a808101"},
    {"OctetStringConstructed", "040100", "2403040100"},
    {"BitStringConstructed", "030100", "2303030100"},
    {"SequencePrimitive", "3000", "1000"},
    {"SetOutOfOrder", "3106020101020102", "3106020102020101"},
    {"UnknownUniversalType", "0500", "090100"},
    {"ChildBroken", "3003020101", "3003020201"},
    {"ChildOfContextTagBroken", "a003020101", "a003020201"},
};

class DerForms : public testing::TestWithParam<Form> {};
INSTANTIATE_TEST_SUITE_P(All, DerForms, testing::ValuesIn(kForms),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

TEST_P(DerForms, OneIsDerAndTheOtherIsNot) {
  EXPECT_TRUE(IsDerHex(GetParam().good));
  EXPECT_FALSE(IsDerHex(GetParam().bad));
}

TEST(IsDer, EndsAtADepthThatNothingNeeds) {
  const auto nested = [](std::size_t depth) {
    ByteBuffer bytes = codec::DecodeHex("0500").value();
    for (std::size_t i = 0; i < depth; ++i) {
      bytes.insert(bytes.begin(), {std::byte{0x30}, static_cast<std::byte>(bytes.size())});
    }
    return bytes;
  };
  EXPECT_TRUE(IsDer(nested(20)));
  EXPECT_FALSE(IsDer(nested(60)));
}

}  // namespace
}  // namespace portcullis::crypto

#include <gtest/gtest.h>

#include "codec/text.h"
#include "tests/support/seeded_random.h"

namespace portcullis::codec {
namespace {

constexpr std::string_view kOne = "-----BEGIN CERTIFICATE-----\nZm9vYmFy\n-----END CERTIFICATE-----\n";

TEST(Pem, ReadsWhatItWrites) {
  test::SeededRandom random(test::PrintedSeed());
  for (const std::size_t length : {1u, 47u, 48u, 49u, 96u, 1000u}) {
    const ByteBuffer der = random.Take(length);
    const std::string text = EncodePem("EC PRIVATE KEY", der);
    const auto blocks = ParsePem(text).value();
    ASSERT_EQ(blocks.size(), 1u);
    EXPECT_EQ(blocks[0].label, "EC PRIVATE KEY");
    EXPECT_EQ(blocks[0].der, der);
  }
}

TEST(Pem, WritesLinesOf64Digits) {
  EXPECT_EQ(EncodePem("X", ByteBuffer(49)),
            "-----BEGIN X-----\n" + std::string(64, 'A') + "\nAA==\n-----END X-----\n");
}

TEST(Pem, ReadsBlocksInOrderAndSkipsTextBetween) {
  const std::string text = "subject=/CN=leaf\n" + std::string(kOne) + "\nissuer\n" +
                           EncodePem("CERTIFICATE", AsBytes("b")) + EncodePem("X509 CRL", AsBytes("c")) +
                           "end";
  const auto blocks = ParsePem(text).value();
  ASSERT_EQ(blocks.size(), 3u);
  EXPECT_EQ(ToText(blocks[0].der), "foobar");
  EXPECT_EQ(ToText(blocks[1].der), "b");
  EXPECT_EQ(blocks[2].label, "X509 CRL");
}

TEST(Pem, ReadsCarriageReturnsTrailingBlanksAndAMissingLastLineBreak) {
  const auto blocks = ParsePem("-----BEGIN A-----\r\nZm9v \t\r\nYmFy\r\n-----END A-----").value();
  ASSERT_EQ(blocks.size(), 1u);
  EXPECT_EQ(ToText(blocks[0].der), "foobar");
}

struct Case {
  const char* name;
  const char* text;
};
constexpr Case kRefused[] = {
    {"Empty", ""},
    {"NoBlock", "just text\n"},
    {"NoEnd", "-----BEGIN A-----\nZm9v\n"},
    {"NoEndAndNoLineBreak", "-----BEGIN A-----"},
    {"NoBegin", "Zm9v\n-----END A-----\n"},
    {"StrayEndBeforeAWholeBlock", "-----END A-----\n-----BEGIN A-----\nZm9v\n-----END A-----\n"},
    {"OtherLabelAtTheEnd", "-----BEGIN A-----\nZm9v\n-----END B-----\n"},
    {"BeginInsideABlock", "-----BEGIN A-----\nZm9v\n-----BEGIN A-----\nZm9v\n-----END A-----\n"},
    {"NoContent", "-----BEGIN A-----\n-----END A-----\n"},
    {"BadDigit", "-----BEGIN A-----\nZm9*\n-----END A-----\n"},
    {"BlankInsideALine", "-----BEGIN A-----\nZm 9v\n-----END A-----\n"},
    {"NoPadding", "-----BEGIN A-----\nZg\n-----END A-----\n"},
    {"UnusedBits", "-----BEGIN A-----\nZh==\n-----END A-----\n"},
    {"PaddingInside", "-----BEGIN A-----\nZg==\nZg==\n-----END A-----\n"},
    {"Headers", "-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\n\nZm9v\n-----END A-----\n"},
    {"FewDashesAfterTheLabel", "-----BEGIN A----\nZm9v\n-----END A-----\n"},
    {"NoLabel", "-----BEGIN -----\nZm9v\n-----END -----\n"},
    {"LowerCaseLabel", "-----BEGIN a-----\nZm9v\n-----END a-----\n"},
    {"SecondBlockBroken", "-----BEGIN A-----\nZm9v\n-----END A-----\n-----BEGIN A-----\nZm9"},
};

class PemRefuses : public testing::TestWithParam<Case> {};
TEST_P(PemRefuses, Text) {
  const auto blocks = ParsePem(GetParam().text);
  ASSERT_FALSE(blocks);
  EXPECT_EQ(blocks.error().code, ReasonCode::kRequestMalformed);
}
INSTANTIATE_TEST_SUITE_P(Pem, PemRefuses, testing::ValuesIn(kRefused),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(Pem, RefusesEveryTruncation) {
  const std::string text(kOne.substr(0, kOne.size() - 1));  // the last line break may be missing
  for (std::size_t length = 0; length < text.size(); ++length)
    EXPECT_FALSE(ParsePem(text.substr(0, length))) << length;
  EXPECT_TRUE(ParsePem(text));
}

TEST(Pem, ReadsAsManyBlocksAsAllowedAndRefusesOneMore) {
  const std::string three = std::string(kOne) + std::string(kOne) + std::string(kOne);
  EXPECT_EQ(ParsePem(three, 3).value().size(), 3u);
  EXPECT_FALSE(ParsePem(three, 2));
}

}  // namespace
}  // namespace portcullis::codec

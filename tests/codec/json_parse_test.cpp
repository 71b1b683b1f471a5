#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "codec/json.h"
#include "tests/support/seeded_random.h"

namespace portcullis::codec {
namespace {

struct Case {
  const char* name;
  std::string_view text;
  std::string_view error;  // as a person sees it
};
constexpr Case kRefused[] = {
    {"Nothing", "", "RequestMalformed: not a JSON value (offset 0)"},
    {"SpaceAlone", " \n", "RequestMalformed: not a JSON value (offset 2)"},
    {"TwoValues", "1 2", "RequestMalformed: text follows the JSON value (offset 2)"},
    {"ByteOrderMark", "\xEF\xBB\xBF{}", "RequestMalformed: JSON starts with a byte order mark"},
    {"Utf16", std::string_view("{\0}\0", 4), "RequestMalformed: expected text in quotes (offset 1)"},
    {"InvalidUtf8", "[\"\xC3(\"]", "RequestMalformed: JSON is not valid UTF-8 (offset 2)"},
    {"OverlongUtf8", "[\"\xC0\x80\"]", "RequestMalformed: JSON is not valid UTF-8 (offset 2)"},
    {"NulAfterTheValue", std::string_view("1\0", 2),
     "RequestMalformed: text follows the JSON value (offset 1)"},
    {"NulInText", std::string_view("\"\0\"", 3), "RequestMalformed: control character in text (offset 1)"},
    {"Comment", "[1/*one*/]", "RequestMalformed: expected ',' or ']' (offset 2)"},
    {"TrailingComma", "[1,]", "RequestMalformed: not a JSON value (offset 3)"},
    {"MemberWithoutQuotes", "{a:1}", "RequestMalformed: expected text in quotes (offset 1)"},
    {"SingleQuotes", "['a']", "RequestMalformed: not a JSON value (offset 1)"},
    {"NoColon", "{\"a\" 1}", "RequestMalformed: expected ':' (offset 5)"},
    {"LeadingZero", "[01]", "RequestMalformed: expected ',' or ']' (offset 2)"},
    {"PlusSign", "[+1]", "RequestMalformed: not a JSON value (offset 1)"},
    {"NaN", "NaN", "RequestMalformed: not a JSON value (offset 0)"},
    {"Infinity", "[-Infinity]", "RequestMalformed: not a JSON value (offset 2)"},
    {"Hexadecimal", "0x10", "RequestMalformed: text follows the JSON value (offset 1)"},
    {"BeyondDouble", "1e309", "RequestMalformed: JSON number is too large for a double"},
    {"BeyondDoubleInDigits", "-1e999999999999999999999",
     "RequestMalformed: JSON number is too large for a double"},
    {"LoneHighSurrogate", R"(["\ud800"])", "RequestMalformed: lone surrogate in text (offset 8)"},
    {"LoneLowSurrogate", R"(["\udc00"])", "RequestMalformed: lone surrogate in text (offset 8)"},
    {"TwoHighSurrogates", R"(["\ud800\ud800"])", "RequestMalformed: lone surrogate in text (offset 14)"},
    {"SurrogateThenPrivateUse", R"(["\ud800\ue000"])",
     "RequestMalformed: lone surrogate in text (offset 14)"},
    {"LastLowSurrogateAlone", R"(["\udfff"])", "RequestMalformed: lone surrogate in text (offset 8)"},
    {"SurrogateThenOtherEscape", R"(["\ud800\n"])", "RequestMalformed: lone surrogate in text (offset 9)"},
    {"ShortEscape", R"(["\u12"])", "RequestMalformed: \\u needs four hex digits (offset 6)"},
    {"UnknownEscape", R"(["\x41"])", "RequestMalformed: unknown escape in text (offset 3)"},
    {"EscapedEnd", R"("\)", "RequestMalformed: unknown escape in text (offset 2)"},
    {"SameMemberTwice", R"({"a":1,"b":2,"a":1})", "RequestMalformed: JSON object has a member twice (\"a\")"},
    {"SameMemberByEscape", R"({"key":1,"\u006bey":2})",
     "RequestMalformed: JSON object has a member twice (\"key\")"},
    {"SameMemberDeepInside", R"([{"x":{"y":[{"a":1,"a":2}]}}])",
     "RequestMalformed: JSON object has a member twice (\"a\")"},
    {"SameEmptyMember", R"({"":1,"":2})", "RequestMalformed: JSON object has a member twice (\"\")"},
};

class ParseJsonRefuses : public testing::TestWithParam<Case> {};
TEST_P(ParseJsonRefuses, Text) {
  const auto value = ParseJson(GetParam().text);
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().ToString(), GetParam().error);
}
INSTANTIATE_TEST_SUITE_P(Json, ParseJsonRefuses, testing::ValuesIn(kRefused),
                         [](const auto& tested) { return std::string(tested.param.name); });

/// {"m0":0, ... } of `count` members, two of which have the name "twice".
std::string WithTwice(std::size_t count, std::size_t first, std::size_t second, std::string_view spelt) {
  std::string out = "{";
  for (std::size_t i = 0; i < count; ++i)
    out.append(i == 0 ? "\"" : ",\"")
        .append(i == first    ? "twice"
                : i == second ? spelt
                              : "m" + std::to_string(i))
        .append("\":0");
  return out + "}";
}

TEST(ParseJson, RefusesAMemberTwiceInObjectsOfEverySizeAndAtEveryPlace) {
  for (const std::size_t count : {2, 15, 16, 17, 18, 40})
    for (std::size_t first = 0; first < count; ++first)
      for (std::size_t second = first + 1; second < count; ++second)
        for (const std::string_view spelt : {"twice", "tw\\u0069ce"}) {
          const auto value = ParseJson(WithTwice(count, first, second, spelt));
          ASSERT_FALSE(value) << count << " members, " << first << " and " << second;
          EXPECT_EQ(value.error().where, "\"twice\"");
        }
  for (const std::size_t count : {16, 17, 40}) EXPECT_TRUE(ParseJson(WithTwice(count, 0, count, "")));
}

TEST(ParseJson, DecodesTheEdgesOfEachLengthOfCharacter) {
  EXPECT_EQ(
      *ParseJson(R"("\u007f\u0080\u07ff\u0800\ud7ff\ue000\uffff\ud800\udc00\udbff\udfff")")
           .value()
           .if_string(),
      "\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF");
}

TEST(ParseJson, KeepsMembersInTheOrderOfTheText) {
  EXPECT_EQ(ToText(ParseJson(R"( {"z":1, "a":{"y":2,"b":3}, "m":[]} )").value()),
            R"({"z":1,"a":{"y":2,"b":3},"m":[]})");
}

TEST(ParseJson, TellsMembersApartThatDifferInCaseOrNormalForm) {
  EXPECT_EQ(ParseJson("{\"a\":1,\"A\":2,\"\xC3\xA9\":3,\"e\xCC\x81\":4}").value().if_object()->size(), 4u);
}

TEST(ParseJson, DecodesEscapes) {
  const auto value = ParseJson(R"("\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud834\uDD1E\u0000")").value();
  EXPECT_EQ(*value.if_string(), std::string("\"\\/\b\f\n\r\tA\xC3\xA9\xE2\x82\xAC\xF0\x9D\x84\x9E\0", 19));
}

TEST(ParseJson, KeepsIntegersExact) {
  const auto read = [](std::string_view text) { return ParseJson(text).value(); };
  EXPECT_EQ(read("9007199254740993").if_int64(), 9007199254740993);
  EXPECT_EQ(read("-9223372036854775808").if_int64(), INT64_MIN);
  EXPECT_EQ(read("9223372036854775807").if_uint64(), 9223372036854775807u);
  EXPECT_EQ(read("9223372036854775808").if_int64(), std::nullopt);
  EXPECT_EQ(read("18446744073709551615").if_uint64(), UINT64_MAX);
  EXPECT_EQ(read("-1").if_uint64(), std::nullopt);
  EXPECT_EQ(read("-0").if_int64(), 0);
}

TEST(ParseJson, MakesDoublesOfFractionsExponentsAndWhatIsTooLarge) {
  for (const std::string_view text :
       {"1.0", "1e0", "1E+2", "18446744073709551616", "-9223372036854775809", "0.5"}) {
    const auto value = ParseJson(text).value();
    EXPECT_FALSE(value.is_integer()) << text;
    EXPECT_FALSE(value.if_int64()) << text;
    EXPECT_TRUE(value.if_double()) << text;
  }
  EXPECT_TRUE(std::signbit(*ParseJson("-0.0").value().if_double()));
}

TEST(ParseJson, ReadsBackEveryDoubleItWrites) {
  test::SeededRandom random(test::PrintedSeed());
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t bits = random.Below(UINT64_MAX);
    double value;
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value)) continue;
    const std::string text = ToText(Json(value));
    EXPECT_EQ(ParseJson(text).value().if_double(), value) << text;
  }
}

std::string Nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

std::string NestedObjects(std::size_t depth) {
  std::string out;
  for (std::size_t i = 0; i < depth; ++i) out += "{\"a\":";
  return out + "0" + std::string(depth, '}');
}

TEST(ParseJson, NestsToTheLimitAndRefusesOneMore) {
  EXPECT_TRUE(ParseJson(Nested(kMaxJsonDepth)));
  EXPECT_FALSE(ParseJson(Nested(kMaxJsonDepth + 1)));
  EXPECT_TRUE(ParseJson(NestedObjects(kMaxJsonDepth)));
  EXPECT_FALSE(ParseJson(NestedObjects(kMaxJsonDepth + 1)));
  EXPECT_TRUE(ParseJson(Nested(2), {.max_depth = 2}));
  EXPECT_FALSE(ParseJson(Nested(3), {.max_depth = 2}));
  EXPECT_TRUE(ParseJson("1", {.max_depth = 0}));
}

TEST(ParseJson, NeverNestsDeeperThanTheLibraryCan) {
  constexpr JsonLimits kDeep{.max_depth = 1'000'000};
  EXPECT_TRUE(ParseJson(Nested(128), kDeep));
  EXPECT_TRUE(ParseJson(NestedObjects(128), kDeep));
  EXPECT_FALSE(ParseJson(Nested(129), kDeep));
  EXPECT_FALSE(ParseJson(std::string(1'000'000, '['), kDeep));
}

TEST(ParseJson, ReadsToTheLimitOfBytesAndRefusesOneMore) {
  EXPECT_TRUE(ParseJson("[1]", {.max_bytes = 3}));
  EXPECT_FALSE(ParseJson("[1] ", {.max_bytes = 3}));
  const std::string text = '"' + std::string(kMaxJsonBytes - 2, 'a') + '"';
  EXPECT_TRUE(ParseJson(text));
  EXPECT_FALSE(ParseJson(text + " "));
}

TEST(ParseJson, ReadsToTheLimitOfValuesAndRefusesOneMore) {
  EXPECT_TRUE(ParseJson("[1,{\"a\":2}]", {.max_values = 4}));
  EXPECT_FALSE(ParseJson("[1,{\"a\":2}]", {.max_values = 3}));
  std::string many = "[0";
  for (std::size_t i = 0; i < kMaxJsonValues; ++i) many += ",0";
  EXPECT_FALSE(ParseJson(many + "]"));
}

TEST(ParseJson, RefusesEveryTruncation) {
  const std::string text = R"({"a":[1.5e-3,"\ud834\udd1e\n",{"b":null}],"c":true})";
  ASSERT_TRUE(ParseJson(text));
  for (std::size_t length = 0; length < text.size(); ++length)
    EXPECT_FALSE(ParseJson(text.substr(0, length))) << length;
}

}  // namespace
}  // namespace portcullis::codec

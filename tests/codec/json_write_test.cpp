#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "codec/json.h"
#include "codec/utf8.h"

namespace portcullis::codec {
namespace {

TEST(ToText, IsCompactAndEscapesOnlyWhatItMust) {
  EXPECT_EQ(ToText(Json::Object({{"a/b", "</x> \x7F \xE2\x82\xAC"}, {"c", "\"\\\b\f\n\r\t\x01\x1f"}})),
            "{\"a/b\":\"</x> \x7F \xE2\x82\xAC\",\"c\":\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\"}");
  EXPECT_EQ(ToText(Json::Array({nullptr, true, false, -1, "", Json::Array({}), Json::Object({})})),
            R"([null,true,false,-1,"",[],{}])");
}

TEST(ToText, IsAlwaysValidUtf8) {
  const std::string text = ToText(Json::Object({{"\xFF", "a\xC3"}}));
  EXPECT_TRUE(IsValidUtf8(text));
  EXPECT_EQ(text, "{\"\xEF\xBF\xBD\":\"a\xEF\xBF\xBD\"}");
}

TEST(ToText, WritesNullForWhatIsNoNumber) {
  using Limits = std::numeric_limits<double>;
  EXPECT_EQ(ToText(Json::Array({Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN()})),
            "[null,null,null]");
}

TEST(ToPrettyText, IndentsByTwo) {
  EXPECT_EQ(ToPrettyText(ParseJson(R"({"a":[1,{"b":2}],"c":[],"d":{}})").value()), R"({
  "a": [
    1,
    {
      "b": 2
    }
  ],
  "c": [],
  "d": {}
})");
  EXPECT_EQ(ToPrettyText(Json(1)), "1");
}

// RFC 8785 appendix B.
struct NumberCase {
  std::uint64_t bits;
  const char* text;
};
constexpr NumberCase kNumbers[] = {
    {0x0000000000000000, "0"},
    {0x8000000000000000, "0"},
    {0x0000000000000001, "5e-324"},
    {0x8000000000000001, "-5e-324"},
    {0x7fefffffffffffff, "1.7976931348623157e+308"},
    {0xffefffffffffffff, "-1.7976931348623157e+308"},
    {0x4340000000000000, "9007199254740992"},
    {0xc340000000000000, "-9007199254740992"},
    {0x4430000000000000, "295147905179352830000"},
    {0x44b52d02c7e14af5, "9.999999999999997e+22"},
    {0x44b52d02c7e14af6, "1e+23"},
    {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
    {0x444b1ae4d6e2ef4e, "999999999999999700000"},
    {0x444b1ae4d6e2ef4f, "999999999999999900000"},
    {0x444b1ae4d6e2ef50, "1e+21"},
    {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
    {0x3eb0c6f7a0b5ed8d, "0.000001"},
    {0x41b3de4355555553, "333333333.3333332"},
    {0x41b3de4355555554, "333333333.33333325"},
    {0x41b3de4355555555, "333333333.3333333"},
    {0x41b3de4355555556, "333333333.3333334"},
    {0x41b3de4355555557, "333333333.33333343"},
    {0xbecbf647612f3696, "-0.0000033333333333333333"},
    {0x43143ff3c1cb0959, "1424953923781206.2"},
};

TEST(ToCanonicalText, WritesTheNumbersOfRfc8785) {
  for (const NumberCase& number : kNumbers) {
    double value;
    std::memcpy(&value, &number.bits, sizeof value);
    EXPECT_EQ(ToCanonicalText(Json(value)), number.text) << std::hex << number.bits;
  }
}

TEST(ToCanonicalText, WritesTheExampleOfRfc8785) {
  // Section 3.2.2 to 3.2.4.
  const auto value = ParseJson(R"({
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  })");
  EXPECT_EQ(ToCanonicalText(value.value()),
            "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
            "\"string\":\"\xE2\x82\xAC$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
}

TEST(ToCanonicalText, SortsMembersByUtf16CodeUnits) {
  // Section 3.2.3: U+1F600 is a surrogate pair D83D DE00 and stands before U+FB33, though not in UTF-8.
  const auto value = ParseJson(R"({
    "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
    "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"
  })");
  EXPECT_EQ(
      ToCanonicalText(value.value()),
      "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xC2\x80\":\"Control\","
      "\"\xC3\xB6\":\"Latin Small Letter O With Diaeresis\",\"\xE2\x82\xAC\":\"Euro Sign\","
      "\"\xF0\x9F\x98\x80\":\"Emoji: Grinning Face\",\"\xEF\xAC\xB3\":\"Hebrew Letter Dalet With Dagesh\"}");
}

TEST(ToCanonicalText, SortsPrefixesFirstAndAtEveryLevel) {
  const auto value = ParseJson(R"([{"b":{"z":1,"aa":2,"a":3},"":0,"B":[{"y":1,"x":2}]}])");
  EXPECT_EQ(ToCanonicalText(value.value()), R"([{"":0,"B":[{"x":2,"y":1}],"b":{"a":3,"aa":2,"z":1}}])");
}

TEST(ToCanonicalText, NeverGivesTwoIntegersOneText) {
  EXPECT_EQ(ToCanonicalText(Json(9007199254740993)), "9007199254740993");
  EXPECT_EQ(ToCanonicalText(Json(UINT64_MAX)), "18446744073709551615");
}

TEST(ToCanonicalText, WritesTheRuntimeDataOfConfidentialContainers) {
  // The text whose digest guests of Confidential Containers put into their reports: members in any order on
  // the way in, evidence as text full of quotes.
  const auto value = ParseJson(R"({"tee-pubkey":{"kty":"EC","alg":"ECDH-ES+A256KW","crv":"P-256",
    "y":"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps","x":"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0"},
    "nonce":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=","additional-evidence":""})");
  EXPECT_EQ(
      ToCanonicalText(value.value()),
      R"({"additional-evidence":"","nonce":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=","tee-pubkey":)"
      R"({"alg":"ECDH-ES+A256KW","crv":"P-256","kty":"EC","x":"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",)"
      R"("y":"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps"}})");
  EXPECT_EQ(ToCanonicalText(Json::Object({{"additional-evidence", R"({"nvidia":"{\"uuid\":1}"})"}})),
            R"({"additional-evidence":"{\"nvidia\":\"{\\\"uuid\\\":1}\"}"})");
}

TEST(JsonWriter, WritesWhatTheValueWouldBe) {
  const Json inner = Json::Object({{"b", 1}, {"a", Json::Array({nullptr, true, "x"})}});
  JsonWriter out;
  out.BeginObject().Member("text", "quote \" and \n").Name("empty").BeginArray().EndArray();
  out.Name("list").BeginArray().BeginArray().EndArray().Text("one").BeginObject().EndObject().Value(2);
  out.EndArray().Name("value").Value(inner).Name("written").Written(R"({"c":[]})").Member("last", "");
  out.EndObject();
  const Json same = Json::Object({{"text", "quote \" and \n"},
                                  {"empty", JsonArray()},
                                  {"list", Json::Array({JsonArray(), "one", JsonObject(), 2})},
                                  {"value", inner},
                                  {"written", Json::Object({{"c", JsonArray()}})},
                                  {"last", ""}});
  EXPECT_EQ(std::move(out).Take(), ToText(same));
}

TEST(JsonWriter, RepairsNamesAndTexts) {
  JsonWriter out;
  out.BeginObject().Member("n\xFF", "t\xC3").EndObject();
  EXPECT_EQ(std::move(out).Take(), "{\"n\xEF\xBF\xBD\":\"t\xEF\xBF\xBD\"}");
}

}  // namespace
}  // namespace portcullis::codec

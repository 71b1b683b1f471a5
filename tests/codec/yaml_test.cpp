#include <gtest/gtest.h>

#include "codec/json.h"
#include "tests/support/seeded_random.h"

namespace portcullis::codec {
namespace {

std::string Read(std::string_view yaml) {
  const auto value = ParseYaml(yaml);
  return value ? ToText(*value) : value.error().ToString();
}

TEST(ParseYaml, ReadsConfiguration) {
  EXPECT_EQ(Read(R"(# the broker
listen: 0.0.0.0:8443
limits:
  bodies: 65536
  ratio: 0.5
roles: [admin, "auditor"]
policy: |
  line one
  line two
folded: >
  a
  b
empty:
nested:
  - name: a
    on: true
  - - 1
    - {x: y}
)"),
            R"({"listen":"0.0.0.0:8443","limits":{"bodies":65536,"ratio":0.5},"roles":["admin","auditor"],)"
            R"("policy":"line one\nline two\n","folded":"a b\n","empty":null,)"
            R"("nested":[{"name":"a","on":true},[1,{"x":"y"}]]})");
}

struct Scalar {
  const char *yaml, *json;
};
constexpr Scalar kScalars[] = {
    {"null", "null"},
    {"Null", "null"},
    {"NULL", "null"},
    {"~", "null"},
    {"nULL", "\"nULL\""},
    {"true", "true"},
    {"True", "true"},
    {"TRUE", "true"},
    {"false", "false"},
    {"False", "false"},
    {"FALSE", "false"},
    {"tRue", "\"tRue\""},
    // Booleans in YAML 1.1 alone:
    {"yes", "\"yes\""},
    {"no", "\"no\""},
    {"on", "\"on\""},
    {"off", "\"off\""},
    {"y", "\"y\""},
    {"0", "0"},
    {"-0", "0"},
    {"12", "12"},
    {"-12", "-12"},
    {"+12", "12"},
    {"0o17", "15"},
    {"0x1F", "31"},
    {"0xfg", "\"0xfg\""},
    {"0o8", "\"0o8\""},
    {"1_000", "\"1_000\""},
    {"-0x1", "\"-0x1\""},
    {"9223372036854775807", "9223372036854775807"},
    {"18446744073709551615", "18446744073709551615"},
    {"-9223372036854775808", "-9223372036854775808"},
    {"1.5", "1.5"},
    {"-.5", "-0.5"},
    {"1.", "1"},
    {"1e3", "1000"},
    {"+1.5E-3", "0.0015"},
    {"1e", "\"1e\""},
    {".", "\".\""},
    {"1.2.3", "\"1.2.3\""},
    {"e3", "\"e3\""},
    {"+", "\"+\""},
    {"12:30", "\"12:30\""},
    {"2026-11-24", "\"2026-11-24\""},
    {"sha256:ab", "\"sha256:ab\""},
    // Quoted ones are text:
    {"'12'", "\"12\""},
    {"\"true\"", "\"true\""},
    {"''", "\"\""},
    {"\"null\"", "\"null\""},
    {"'0123'", "\"0123\""},
};

TEST(ParseYaml, ResolvesPlainScalarsByTheCoreSchemaAndQuotedOnesToText) {
  for (const Scalar& scalar : kScalars) EXPECT_EQ(Read(scalar.yaml), scalar.json) << scalar.yaml;
}

struct Case {
  const char* name;
  std::string_view yaml;
  const char* error;
};
constexpr Case kRefused[] = {
    {"Empty", "", "ConfigurationInvalid: YAML holds no document"},
    {"CommentAlone", "# nothing\n", "ConfigurationInvalid: YAML holds no document"},
    {"TwoDocuments", "a: 1\n---\nb: 2\n", "ConfigurationInvalid: YAML holds more than one document"},
    {"SameMemberTwice", "a: 1\nb: 2\na: 3\n",
     "ConfigurationInvalid: a member stands twice (line 3, column 1)"},
    {"SameMemberQuoted", "x:\n  a: 1\n  'a': 3\n",
     "ConfigurationInvalid: a member stands twice (line 3, column 3)"},
    {"SameMemberInFlow", "{a: 1, a: 1}", "ConfigurationInvalid: a member stands twice (line 1, column 8)"},
    {"Anchor", "a: &x 1\n", "ConfigurationInvalid: anchors are not allowed (line 1, column 4)"},
    {"AnchorOnList", "a: &x [1]\n", "ConfigurationInvalid: anchors are not allowed (line 1, column 4)"},
    {"Alias", "a: &x 1\nb: *x\n", "ConfigurationInvalid: anchors are not allowed (line 1, column 4)"},
    {"Tag", "a: !!str 1\n", "ConfigurationInvalid: tags are not allowed (line 1, column 4)"},
    {"OwnTag", "a: !include b\n", "ConfigurationInvalid: tags are not allowed (line 1, column 4)"},
    {"TagOnList", "a: !!set [1]\n", "ConfigurationInvalid: tags are not allowed (line 1, column 4)"},
    {"ListAsMemberName", "? [1]\n: 2\n",
     "ConfigurationInvalid: a member name must be text (line 1, column 3)"},
    {"NullAsMemberName", "~: 1\n", "ConfigurationInvalid: a member name must be text (line 1, column 1)"},
    {"LeadingZero", "mode: 0600\n",
     "ConfigurationInvalid: integer starts with a zero; quote it if it is text (line 1, column 7)"},
    {"TooManyBits", "a: 18446744073709551616\n",
     "ConfigurationInvalid: integer needs more than 64 bits; quote it if it is text (line 1, column 4)"},
    {"TooManyBitsBelowZero", "a: -9223372036854775809\n",
     "ConfigurationInvalid: integer needs more than 64 bits; quote it if it is text (line 1, column 4)"},
    {"Infinity", "a: -.inf\n",
     "ConfigurationInvalid: infinity and NaN can't be used; quote it if it is text (line 1, column 4)"},
    {"NaN", "a: .nan\n",
     "ConfigurationInvalid: infinity and NaN can't be used; quote it if it is text (line 1, column 4)"},
    {"BeyondDouble", "a: 1e309\n",
     "ConfigurationInvalid: number is out of a double's range; quote it if it is text (line 1, column 4)"},
    {"ControlCharacterThatEndsTheText", "a: 1\n\x04\nb: 2\n",
     "ConfigurationInvalid: YAML holds a control character"},
    {"Nul", std::string_view("a: 1\0", 5), "ConfigurationInvalid: YAML holds a control character"},
    {"InvalidUtf8", "a: \xFF\n", "ConfigurationInvalid: YAML is not valid UTF-8 (offset 3)"},
    {"ByteOrderMark",
     "\xEF\xBB\xBF"
     "a: 1\n",
     "ConfigurationInvalid: YAML starts with a byte order mark"},
};

class ParseYamlRefuses : public testing::TestWithParam<Case> {};
TEST_P(ParseYamlRefuses, Text) { EXPECT_EQ(Read(GetParam().yaml), GetParam().error); }
INSTANTIATE_TEST_SUITE_P(Yaml, ParseYamlRefuses, testing::ValuesIn(kRefused),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(ParseYaml, RefusesWhatIsNotYaml) {
  for (const std::string_view yaml : {"a: [1", "a: {b: 1", "a: 'x", "a: \"\\q\"", "a: b: c", "a: 1\n b: 2\n",
                                      "\ta: 1", "]", "{a: 1} }", "@a", "a: *nowhere", "- a\nb: 1\n"}) {
    const auto value = ParseYaml(yaml);
    ASSERT_FALSE(value) << yaml;
    EXPECT_EQ(value.error().code, ReasonCode::kConfigurationInvalid);
  }
}

std::string Nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(ParseYaml, NestsToTheLimitAndRefusesOneMore) {
  EXPECT_TRUE(ParseYaml(Nested(kMaxJsonDepth)));
  EXPECT_FALSE(ParseYaml(Nested(kMaxJsonDepth + 1)));
  EXPECT_FALSE(ParseYaml(std::string(100'000, '[')));
}

TEST(ParseYaml, ReadsToTheLimitOfBytesAndRefusesOneMore) {
  const std::string text = "a: " + std::string((1u << 20) - 3, 'x');
  EXPECT_TRUE(ParseYaml(text));
  EXPECT_FALSE(ParseYaml(text + "x"));
}

TEST(ToYaml, WritesBlocksThatPeopleCanRead) {
  const auto value = ParseJson(R"({
    "name": "kata-qemu-snp", "image": "registry.example/llm:v1", "count": 3, "yes": "no", "a b": "1",
    "list": ["x", {"k": [1], "z": {}}, []], "text": "line one\n  line two\n", "odd": "tab\there", "none": null
  })");
  EXPECT_EQ(ToYaml(value.value()), R"(name: kata-qemu-snp
image: registry.example/llm:v1
count: 3
"yes": "no"
"a b": "1"
list:
  - x
  - k:
      - 1
    z: {}
  - []
text: |
  line one
    line two
odd: "tab\there"
none: null
)");
  EXPECT_EQ(ToYaml(Json()), "null\n");
  EXPECT_EQ(ToYaml(Json("a\nb\n")), "|\n  a\n  b\n");
}

TEST(ToYaml, ReadsBackTextThatLooksLikeSomethingElse) {
  for (const std::string_view text : {"",
                                      " ",
                                      "~",
                                      "null",
                                      "true",
                                      "yes",
                                      "12",
                                      "0600",
                                      "1.5",
                                      ".inf",
                                      "0x1f",
                                      "- a",
                                      "a: b",
                                      "a:",
                                      "#c",
                                      "a #c",
                                      "&a",
                                      "*a",
                                      "!a",
                                      "|",
                                      ">",
                                      "'a'",
                                      "\"a\"",
                                      "[a",
                                      "{a",
                                      "%a",
                                      "@a",
                                      "`a",
                                      "a\n",
                                      "a\n\n",
                                      "\na\n",
                                      " a\n",
                                      "a \n",
                                      "a\n b\n",
                                      "a\n\nb\n",
                                      "\n",
                                      "a\r\n",
                                      "a\tb\n",
                                      "---",
                                      "---\n",
                                      "--- a\n",
                                      "...\n",
                                      "a\n...\n",
                                      "\xC3\xA9\n",
                                      "# c\n",
                                      "a: b\n",
                                      "\x7F",
                                      "\xC2\x85",
                                      "\xC2\x80\xC2\x9F\xC2\xA0",
                                      "\xEF\xBB\xBF",
                                      "\xE2\x80\xA8",
                                      "\x01",
                                      "?",
                                      "? a",
                                      "<<",
                                      "="}) {
    const Json value = Json::Object({{std::string(text), text}, {"list", Json::Array({text})}});
    const std::string yaml = ToYaml(value);
    const auto again = ParseYaml(yaml);
    ASSERT_TRUE(again) << yaml << again.error().ToString();
    EXPECT_EQ(*again, value) << yaml;
  }
}

Json RandomValue(test::SeededRandom& random, int depth) {
  constexpr std::string_view kCharacters = "aZ0 :-#'\"\\\n\t{}[],&*!|>%@`~?.";
  switch (random.Below(depth > 0 ? 7 : 5)) {
    case 0:
      return nullptr;
    case 1:
      return random.Below(2) == 0;
    case 2:
      return static_cast<std::int64_t>(random.Below(UINT64_MAX));
    case 3:
      return static_cast<double>(random.Below(1'000'000)) / 1024;
    case 4: {
      std::string text;
      for (std::uint64_t i = random.Below(12); i > 0; --i)
        text += kCharacters[random.Below(kCharacters.size())];
      return text;
    }
    case 5: {
      Json array = Json::Array({});
      for (std::uint64_t i = random.Below(4); i > 0; --i) array.Push(RandomValue(random, depth - 1));
      return array;
    }
    default: {
      Json object = Json::Object({});
      for (std::uint64_t i = random.Below(4); i > 0; --i) {
        const Json name = RandomValue(random, 0);
        object.Set(name.is_string() ? *name.if_string() : ToText(name), RandomValue(random, depth - 1));
      }
      return object;
    }
  }
}

TEST(ToYaml, ReadsBackRandomValues) {
  test::SeededRandom random(test::PrintedSeed());
  for (int i = 0; i < 2000; ++i) {
    const Json value = RandomValue(random, 4);
    const auto again = ParseYaml(ToYaml(value));
    ASSERT_TRUE(again) << ToYaml(value) << again.error().ToString();
    ASSERT_EQ(*again, value) << ToYaml(value) << "\n" << ToText(value);
    ASSERT_EQ(ParseJson(ToText(value)).value(), value);
  }
}

}  // namespace
}  // namespace portcullis::codec

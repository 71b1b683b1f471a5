#include "codec/init_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/text.h"

namespace portcullis::codec {
namespace {

using testing::HasSubstr;
using Entries = std::map<std::string, std::string>;

constexpr std::string_view kGood = R"(algorithm = "sha384"
version = "0.1.0"

# what the agent may do
[data]
"aa.toml" = '''
[token_configs.kbs]
url = "https://kbs.example:8443"
'''
policy = "package agent_policy\n"
)";

std::string Refusal(const Result<InitData>& result) { return result ? "" : result.error().ToString(); }

TEST(ParseInitData, ReadsEntriesAndKeepsTheExactText) {
  const InitData read = ParseInitData(kGood).value();
  EXPECT_EQ(read.text, kGood);
  EXPECT_EQ(read.algorithm, "sha384");
  EXPECT_EQ(read.data, (Entries{{"aa.toml", "[token_configs.kbs]\nurl = \"https://kbs.example:8443\"\n"},
                                {"policy", "package agent_policy\n"}}));
}

TEST(ParseInitData, ReadsEachWayToWriteTextAndKeys) {
  const auto read = ParseInitData(
      "version='0.1.0'\r\nalgorithm = \"\"\"sha256\"\"\" # c\n"
      "data . a = 'x'\ndata.'b.c'=\"\\u00e9\\\"\"\n'data'.\"d\\\"=\" = \"\"\"\\\n  q\"\"\"\"\"\ndata.e = "
      "''''s'''''\n");
  ASSERT_TRUE(read) << Refusal(read);
  EXPECT_EQ(read->data, (Entries{{"a", "x"}, {"b.c", "\xC3\xA9\""}, {"d\"=", "q\"\""}, {"e", "'s''"}}));
  EXPECT_TRUE(ParseInitData("version = \"0.1.0\"\nalgorithm = \"sha512\"\n[ data ]"));
}

struct Case {
  const char* name;
  std::string text;
  const char* error;
};

std::string Head(std::string_view rest) {
  return "version = \"0.1.0\"\nalgorithm = \"sha256\"\n" + std::string(rest);
}

const Case kRefused[] = {
    {"Empty", "", "version"},
    {"NoVersion", "algorithm = \"sha256\"\n[data]\n", "version"},
    {"OtherVersion", "version = \"0.2.0\"\nalgorithm = \"sha256\"\n[data]\n", "version other than 0.1.0"},
    {"NoAlgorithm", "version = \"0.1.0\"\n[data]\n", "algorithm"},
    {"NameOfTheAlgorithmByIana", "version = \"0.1.0\"\nalgorithm = \"sha-256\"\n[data]\n",
     "algorithm other than"},
    {"WeakAlgorithm", "version = \"0.1.0\"\nalgorithm = \"sha1\"\n[data]\n", "algorithm other than"},
    {"NoData", Head(""), "no table of data"},
    {"DataIsText", Head("data = \"x\""), "no table of data"},
    {"UnknownMember", Head("extra = \"x\"\n[data]\n"), "unknown member (\"extra\")"},
    {"UnknownTable", Head("[data]\n[more]\n"), "unknown member (\"more\")"},
    {"Number", Head("[data]\na = 1\n"), "no text"},
    {"Flag", Head("[data]\na = true\n"), "no text"},
    {"List", Head("[data]\na = [\"x\"]\n"), "no text"},
    {"InlineTable", Head("data = {a = \"x\"}\n"), "no text"},
    {"TableInside", Head("[data]\n[data.a]\nb = \"x\"\n"), "no text"},
    {"UnquotedFileName", Head("[data]\naa.toml = \"x\"\n"), "no text"},
    {"ListOfTables", Head("[[data]]\na = \"x\"\n"), "list of tables"},
    {"KeyOfManyParts", Head("[data]\na.b.c = \"x\"\n"), "too many parts"},
    {"SameEntryTwice", Head("[data]\na = \"x\"\na = \"y\"\n"), "not TOML (line 5)"},
    {"SameTableTwice", Head("[data]\na = \"x\"\n[data]\nb = \"y\"\n"), "not TOML (line 5)"},
    {"TextAfterAValue", Head("[data]\na = \"x\" b = \"y\"\n"), "not TOML"},
    {"NoValue", Head("[data]\na\n"), "key without a value"},
    {"NoKey", Head("[data]\n= \"x\"\n"), "key that is no TOML"},
    {"OpenTableName", Head("[data\n"), "name that does not end"},
    {"OpenText", Head("[data]\na = \"x\n"), "text that does not end"},
    {"OpenTextAfterEscape", Head("[data]\na = \"x\\"), "text that does not end"},
    {"OpenLines", Head("[data]\na = '''x\n"), "text that does not end"},
    {"OpenLinesAfterEscape", Head("[data]\na = \"\"\"x\\"), "text that does not end"},
    {"UnknownEscape", Head("[data]\na = \"\\q\"\n"), "not TOML"},
    {"ControlCharacter", Head("[data]\na = \"\x01\"\n"), "not TOML"},
    {"InvalidUtf8", Head("[data]\na = \"\xFF\"\n"), "not valid UTF-8"},
};

class ParseInitDataRefuses : public testing::TestWithParam<Case> {};
TEST_P(ParseInitDataRefuses, Text) {
  const auto read = ParseInitData(GetParam().text);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ReasonCode::kRequestMalformed);
  EXPECT_THAT(Refusal(read), HasSubstr(GetParam().error));
}
INSTANTIATE_TEST_SUITE_P(InitData, ParseInitDataRefuses, testing::ValuesIn(kRefused),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(ParseInitData, RefusesKeysThatWouldExhaustTheStack) {
  std::string key = "a";
  while (key.size() < 200'000) key += ".a";
  for (const std::string& text :
       {"[data]\n" + key + " = \"x\"\n", "[" + key + "]\n", "x = {" + key + " = 1}\n",
        "x = " + std::string(200'000, '[') + "\n", "x = [{" + key + " = 1}]\n"})
    EXPECT_FALSE(ParseInitData(Head(text)));
}

TEST(ParseInitData, ReadsToTheLimitOfBytesAndRefusesOneMore) {
  std::string text = Head("[data]\n#");
  text += std::string(kMaxInitDataBytes - text.size(), 'x');
  EXPECT_TRUE(ParseInitData(text));
  EXPECT_FALSE(ParseInitData(text + "x"));
}

TEST(ParseInitData, ReadsToTheLimitOfEntriesAndRefusesOneMore) {
  std::string text = Head("[data]\n");
  for (std::size_t i = 0; i < kMaxInitDataEntries; ++i) text += "e" + std::to_string(i) + " = \"x\"\n";
  const auto read = ParseInitData(text);
  ASSERT_TRUE(read) << Refusal(read);
  EXPECT_EQ(read->data.size(), kMaxInitDataEntries);
  EXPECT_THAT(Refusal(ParseInitData(text + "more = \"x\"\n")), HasSubstr("too many entries"));
}

const Entries kEntries = {
    {"aa.toml", "[token_configs.kbs]\nurl = \"x\"\n"},
    {"policy.rego", "package agent_policy\n\ndefault x := '''a'''\n"},
    {"empty", ""},
    {"line", "one"},
    {"leading", "\n\na\n"},
    {"quote at the end", "a\n'"},
    {"carriage", "a\r\nb\r\n"},
    {"odd \"key\"\t", std::string("\0\x01\x1F\x7F\\\"\xC3\xA9\n\xC2\x85", 11)},
    {"", "no name"},
};

TEST(MakeInitData, ParsesBackToTheSameEntries) {
  const InitData made = MakeInitData(kEntries);
  const auto read = ParseInitData(made.text);
  ASSERT_TRUE(read) << Refusal(read) << made.text;
  EXPECT_EQ(read->data, kEntries);
  EXPECT_EQ(read->algorithm, "sha256");
  EXPECT_EQ(made.algorithm, "sha256");
  EXPECT_EQ(made.data, kEntries);
  EXPECT_EQ(MakeInitData(kEntries).text, made.text);
}

TEST(MakeInitData, WritesLinesAsPeopleReadThem) {
  EXPECT_EQ(MakeInitData({{"aa.toml", "a = 1\nb = \"\\\"\n"}, {"x", "y"}}).text,
            "version = \"0.1.0\"\nalgorithm = \"sha256\"\n\n[data]\n"
            "\"aa.toml\" = '''\na = 1\nb = \"\\\"\n'''\n\"x\" = \"y\"\n");
}

TEST(InitDataAnnotation, CarriesTheExactText) {
  const InitData read = ParseInitData(kGood).value();
  const std::string annotation = EncodeInitDataAnnotation(read);
  EXPECT_EQ(DecodeInitDataAnnotation(annotation).value().text, kGood);
}

TEST(InitDataAnnotation, RefusesDamageAndBombs) {
  const std::string annotation = EncodeInitDataAnnotation(ParseInitData(kGood).value());
  EXPECT_FALSE(DecodeInitDataAnnotation(""));
  EXPECT_FALSE(DecodeInitDataAnnotation(annotation + "\n"));
  EXPECT_FALSE(DecodeInitDataAnnotation(annotation.substr(4)));
  EXPECT_FALSE(DecodeInitDataAnnotation(annotation.substr(0, annotation.size() - 4)));
  EXPECT_FALSE(DecodeInitDataAnnotation(EncodeBase64(AsBytes(kGood))));  // not compressed
  std::string large = Head("[data]\n#");
  large += std::string(kMaxInitDataBytes - large.size(), 'x');
  EXPECT_TRUE(DecodeInitDataAnnotation(EncodeBase64(Gzip(AsBytes(large)))));
  EXPECT_FALSE(DecodeInitDataAnnotation(EncodeBase64(Gzip(AsBytes(large + "x")))));
  EXPECT_FALSE(DecodeInitDataAnnotation(EncodeBase64(Gzip(ByteBuffer(64u << 20)))));
  EXPECT_FALSE(DecodeInitDataAnnotation(std::string(kMaxInitDataBytes * 2 + 4, 'A')));
}

}  // namespace
}  // namespace portcullis::codec

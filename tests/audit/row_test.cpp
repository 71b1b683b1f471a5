#include "audit/row.h"

#include <gtest/gtest.h>

#include "audit/merkle.h"
#include "codec/text.h"
#include "tests/support/fake_clock.h"

namespace portcullis::audit {
namespace {

// Made and hashed by another program.
constexpr std::string_view kFirstRow =
    R"({"entry":{"detail":null,"kind":"start","reason":"","requestId":"","resource":"","subject":"","verdict":""},)"
    R"("previous":"sha256:0000000000000000000000000000000000000000000000000000000000000000",)"
    R"("sequence":1,"time":"2026-11-24T21:53:00.000000Z"})";
constexpr std::string_view kFirstLeaf = "dac788722aeaefebdf3e4c8284f64c34d14f9003645cc0870db336f464c2ae5c";

const WallTime kTime = test::FakeClock().Now();

Entry Start() {
  return {.kind = "start",
          .request_id = {},
          .verdict = {},
          .reason = {},
          .subject = {},
          .resource = {},
          .detail = {}};
}

TEST(AuditRow, IsItsCanonicalTextAndItsLeaf) {
  const auto row = MakeRow(1, {}, kTime, Start());
  ASSERT_TRUE(row);
  EXPECT_EQ(row->canonical, kFirstRow);
  EXPECT_EQ(codec::EncodeHex(row->leaf.bytes()), kFirstLeaf);
}

TEST(AuditRow, ReadsBackWhatWasWritten) {
  Entry entry = Start();
  entry.detail = codec::Json::Object({{"z", 1}, {"a", codec::Json::Array({"\xC3\xA9\n\"", true, 1.5})}});
  const auto row = MakeRow(42, LeafHash({}), kTime + std::chrono::milliseconds(7), entry);
  ASSERT_TRUE(row);
  const auto parsed = ParseRow(row->canonical);
  ASSERT_TRUE(parsed) << parsed.error().ToString();
  EXPECT_EQ(parsed->row.sequence, 42);
  EXPECT_EQ(parsed->row.previous, LeafHash({}));
  EXPECT_EQ(parsed->row.leaf, row->leaf);
  EXPECT_EQ(parsed->time, kTime + std::chrono::milliseconds(7));
}

TEST(AuditRow, RefusesEveryTruncation) {
  for (std::size_t size = 0; size < kFirstRow.size(); ++size)
    EXPECT_FALSE(ParseRow(kFirstRow.substr(0, size)));
}

TEST(AuditRow, RefusesAnEntryThatCouldNotBeReadBack) {
  Entry too_long = Start();
  too_long.request_id = std::string(4097, 'a');
  Entry too_large = Start();
  too_large.detail = std::string(kMaxRowBytes, 'a');
  Entry twice = Start();
  twice.detail = codec::JsonObject{{"a", 1}, {"a", 2}};
  for (const Entry& entry : {too_long, too_large, twice}) {
    const auto row = MakeRow(1, {}, kTime, entry);
    ASSERT_FALSE(row) << row->canonical.substr(0, 200);
    EXPECT_EQ(row.error().code, ReasonCode::kInternalError);
  }
}

TEST(AuditRow, MakesTextOfWhatIsNot) {
  Entry entry = Start();
  entry.subject = "\xff";
  const auto row = MakeRow(1, {}, kTime, entry);
  ASSERT_TRUE(row);
  EXPECT_NE(row->canonical.find("\xEF\xBF\xBD"), std::string::npos);
  EXPECT_TRUE(ParseRow(row->canonical));
}

struct Spelling {
  const char* name;
  std::string_view from, to;
};

class AnotherSpelling : public testing::TestWithParam<Spelling> {};

TEST_P(AnotherSpelling, IsRefused) {
  ASSERT_TRUE(ParseRow(kFirstRow));
  std::string text(kFirstRow);
  const auto at = text.find(GetParam().from);
  ASSERT_NE(at, std::string::npos);
  text.replace(at, GetParam().from.size(), GetParam().to);
  const auto parsed = ParseRow(text);
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, ReasonCode::kRequestMalformed);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, AnotherSpelling,
    testing::Values(Spelling{"WhiteSpace", R"({"entry")", R"({ "entry")"},
                    Spelling{"EscapedLetter", R"("start")", R"("\u0073tart")"},
                    Spelling{"MembersInAnotherOrder", R"("kind":"start","reason":"")",
                             R"("reason":"","kind":"start")"},
                    Spelling{"UnknownMember", R"("kind")", R"("extra":1,"kind")"},
                    Spelling{"UnknownOuterMember", R"("previous")", R"("extra":1,"previous")"},
                    Spelling{"MissingMember", R"("subject":"",)", ""},
                    Spelling{"MissingDetail", R"("detail":null,)", ""},
                    Spelling{"SequenceZero", R"("sequence":1)", R"("sequence":0)"},
                    Spelling{"SequenceAsFraction", R"("sequence":1)", R"("sequence":1.0)"},
                    Spelling{"SequenceAsText", R"("sequence":1)", R"("sequence":"1")"},
                    Spelling{"TimeInAnotherZone", "21:53:00.000000Z", "22:53:00.000000+01:00"},
                    Spelling{"TimeWithoutFraction", "21:53:00.000000Z", "21:53:00Z"},
                    Spelling{"DigestOfAnotherKind", "sha256:", "sha384:"},
                    Spelling{"DigestTooShort", "sha256:00", "sha256:"},
                    Spelling{"DigestInUpperCase", "sha256:00", "sha256:0A"},
                    Spelling{"TrailingBytes", R"(Z"})", "Z\"}\n"}),
    [](const auto& spelling) { return spelling.param.name; });

}  // namespace
}  // namespace portcullis::audit

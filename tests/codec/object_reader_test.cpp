#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/json.h"

namespace portcullis::codec {
namespace {

using testing::ElementsAre;

const Json& Subject() {
  static const Json value = ParseJson(R"({
    "name": "llm", "count": 3, "ready": true, "items": [1, 2], "labels": {"a": "b"}, "words": ["x", "yy"],
    "nothing": null, "half": 0.5, "large": 18446744073709551615, "nul": "a\u0000b", "mixed": ["x", 1]
  })")
                                .value();
  return value;
}

ObjectReader Reader(ReasonCode code = ReasonCode::kRequestMalformed) {
  return ObjectReader::Open(Subject(), code).value();
}

std::string Refusal(const auto& result) { return result ? "" : result.error().ToString(); }

TEST(ObjectReader, OpensObjectsAlone) {
  EXPECT_EQ(Refusal(ObjectReader::Open(Json("text"))), "RequestMalformed: must be an object");
  EXPECT_EQ(Refusal(ObjectReader::Open(Json(), ReasonCode::kPolicyIncomplete)),
            "PolicyIncomplete: must be an object");
}

TEST(ObjectReader, ReadsEachType) {
  ObjectReader in = Reader();
  EXPECT_EQ(in.Text("name").value(), "llm");
  EXPECT_EQ(in.Integer("count", 0, 3).value(), 3);
  EXPECT_EQ(in.Flag("ready").value(), true);
  EXPECT_EQ(in.Array("items", 2).value()->size(), 2u);
  EXPECT_EQ(in.Object("labels").value()->TextAt({"a"}), "b");
  EXPECT_THAT(in.Texts("words", 2).value(), ElementsAre("x", "yy"));
  EXPECT_TRUE(in.Any("nothing").value()->is_null());
}

TEST(ObjectReader, NamesTheMemberThatIsMissing) {
  ObjectReader in = Reader(ReasonCode::kPolicyIncomplete);
  constexpr std::string_view kMissing = "PolicyIncomplete: is missing (gone)";
  EXPECT_EQ(Refusal(in.Text("gone")), kMissing);
  EXPECT_EQ(Refusal(in.Integer("gone", 0, 1)), kMissing);
  EXPECT_EQ(Refusal(in.Flag("gone")), kMissing);
  EXPECT_EQ(Refusal(in.Any("gone")), kMissing);
  EXPECT_EQ(Refusal(in.Array("gone", 1)), kMissing);
  EXPECT_EQ(Refusal(in.Object("gone")), kMissing);
  EXPECT_EQ(Refusal(in.Texts("gone", 1)), kMissing);
}

TEST(ObjectReader, RefusesOtherTypes) {
  ObjectReader in = Reader();
  EXPECT_EQ(Refusal(in.Text("count")), "RequestMalformed: must be text (count)");
  EXPECT_EQ(Refusal(in.Text("nothing")), "RequestMalformed: must be text (nothing)");
  EXPECT_EQ(Refusal(in.Integer("name", 0, 9)), "RequestMalformed: must be an integer (name)");
  EXPECT_EQ(Refusal(in.Integer("half", 0, 9)), "RequestMalformed: must be an integer (half)");
  EXPECT_EQ(Refusal(in.Integer("ready", 0, 9)), "RequestMalformed: must be an integer (ready)");
  EXPECT_EQ(Refusal(in.Flag("count")), "RequestMalformed: must be true or false (count)");
  EXPECT_EQ(Refusal(in.Array("labels", 9)), "RequestMalformed: must be a list (labels)");
  EXPECT_EQ(Refusal(in.Object("items")), "RequestMalformed: must be an object (items)");
  EXPECT_EQ(Refusal(in.Texts("mixed", 9)), "RequestMalformed: must be text (mixed[1])");
}

TEST(ObjectReader, HoldsLimitsAndRefusesOneMore) {
  ObjectReader in = Reader();
  EXPECT_TRUE(in.Text("name", 3));
  EXPECT_EQ(Refusal(in.Text("name", 2)), "RequestMalformed: text is too long (name)");
  EXPECT_TRUE(in.Integer("count", 3, 3));
  EXPECT_EQ(Refusal(in.Integer("count", 4, 9)), "RequestMalformed: integer is out of range (count)");
  EXPECT_EQ(Refusal(in.Integer("count", 0, 2)), "RequestMalformed: integer is out of range (count)");
  EXPECT_EQ(Refusal(in.Integer("large", INT64_MIN, INT64_MAX)),
            "RequestMalformed: integer is out of range (large)");
  EXPECT_EQ(Refusal(in.Array("items", 1)), "RequestMalformed: list is too long (items)");
  EXPECT_EQ(Refusal(in.Texts("words", 1)), "RequestMalformed: list is too long (words)");
  EXPECT_EQ(Refusal(in.Texts("words", 2, 1)), "RequestMalformed: text is too long (words[1])");
}

TEST(ObjectReader, RefusesNulInText) {
  ObjectReader in = Reader();
  EXPECT_EQ(Refusal(in.Text("nul")), "RequestMalformed: text holds a NUL character (nul)");
  EXPECT_FALSE(in.OptionalText("nul"));
}

TEST(ObjectReader, TakesNullForAbsentAndNothingElse) {
  ObjectReader in = Reader();
  EXPECT_EQ(in.OptionalText("gone").value(), std::nullopt);
  EXPECT_EQ(in.OptionalText("nothing").value(), std::nullopt);
  EXPECT_EQ(in.OptionalInteger("nothing", 0, 1).value(), std::nullopt);
  EXPECT_EQ(in.OptionalFlag("nothing").value(), std::nullopt);
  EXPECT_EQ(in.Optional("nothing"), nullptr);
  EXPECT_EQ(in.Optional("gone"), nullptr);
  EXPECT_NE(in.Optional("name"), nullptr);

  EXPECT_EQ(in.OptionalText("name").value(), "llm");
  EXPECT_EQ(in.OptionalInteger("count", 0, 5).value(), 3);
  EXPECT_EQ(in.OptionalFlag("ready").value(), true);
  EXPECT_FALSE(in.OptionalText("count"));
  EXPECT_FALSE(in.OptionalText("name", 2));
  EXPECT_FALSE(in.OptionalInteger("name", 0, 5));
  EXPECT_FALSE(in.OptionalInteger("count", 0, 2));
  EXPECT_FALSE(in.OptionalFlag("name"));
}

TEST(ObjectReader, FinishesOnlyWhenEveryMemberWasAskedFor) {
  const Json value = ParseJson(R"({"name":"llm","naem":"x\n"})").value();
  ObjectReader in = ObjectReader::Open(value, ReasonCode::kConfigurationInvalid).value();
  EXPECT_TRUE(in.Text("name"));
  EXPECT_EQ(Refusal(in.Finish()), "ConfigurationInvalid: unknown member (\"naem\")");
  EXPECT_TRUE(in.OptionalText("naem"));
  EXPECT_TRUE(in.Finish());
}

}  // namespace
}  // namespace portcullis::codec

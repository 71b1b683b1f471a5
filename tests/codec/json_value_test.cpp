#include <gtest/gtest.h>

#include "codec/json.h"

namespace portcullis::codec {
namespace {

TEST(Json, KnowsItsType) {
  EXPECT_TRUE(Json().is_null());
  EXPECT_TRUE(Json(nullptr).is_null());
  EXPECT_TRUE(Json(false).is_bool());
  EXPECT_TRUE(Json(0).is_integer());
  EXPECT_TRUE(Json(0u).is_number());
  EXPECT_TRUE(Json(0.5).is_number());
  EXPECT_FALSE(Json(0.5).is_integer());
  EXPECT_TRUE(Json("a").is_string());
  EXPECT_TRUE(Json(std::string_view("a")).is_string());
  EXPECT_TRUE(Json::Array({}).is_array());
  EXPECT_TRUE(Json::Object({}).is_object());
}

TEST(Json, ReadsIntegersOnlyWithinTheirRange) {
  EXPECT_EQ(Json(-1).if_int64(), -1);
  EXPECT_EQ(Json(-1).if_uint64(), std::nullopt);
  EXPECT_EQ(Json(UINT64_MAX).if_int64(), std::nullopt);
  EXPECT_EQ(Json(UINT64_MAX).if_uint64(), UINT64_MAX);
  EXPECT_EQ(Json(std::uint64_t{5}).if_int64(), 5);
  EXPECT_EQ(Json(1.0).if_int64(), std::nullopt);
  EXPECT_EQ(Json("1").if_int64(), std::nullopt);
  EXPECT_EQ(Json(3).if_double(), 3.0);
  EXPECT_EQ(Json(UINT64_MAX).if_double(), 18446744073709551616.0);
  EXPECT_EQ(Json(true).if_double(), std::nullopt);
}

TEST(Json, FindsMembersAndWalksPaths) {
  const Json pod = Json::Object({{"metadata", Json::Object({{"labels", Json::Object({{"app", "llm"}})}})}});
  EXPECT_EQ(*pod.At({"metadata", "labels", "app"}), Json("llm"));
  EXPECT_EQ(pod.TextAt({"metadata", "labels", "app"}), "llm");
  EXPECT_EQ(pod.At({"metadata", "name"}), nullptr);
  EXPECT_EQ(pod.At({"metadata", "labels", "app", "x"}), nullptr);
  EXPECT_EQ(pod.TextAt({"metadata", "labels"}), "");
  EXPECT_EQ(pod.TextAt({"spec"}), "");
  EXPECT_EQ(*pod.At({}), pod);
  EXPECT_EQ(Json(1).Find("a"), nullptr);
}

TEST(Json, ChangesInPlace) {
  Json value;
  value.Set("b", 1).Set("a", "x").Set("b", 2);
  value.Member("list").Push(true);
  value.Member("list").Push(nullptr);
  EXPECT_EQ(ToText(value), R"({"b":2,"a":"x","list":[true,null]})");
  *value.Find("a") = 7;
  EXPECT_TRUE(value.Erase("b"));
  EXPECT_FALSE(value.Erase("b"));
  EXPECT_EQ(ToText(value), R"({"a":7,"list":[true,null]})");
  EXPECT_FALSE(Json(1).Erase("a"));
}

TEST(Json, ComparesObjectsWithoutOrderAndListsWithIt) {
  const auto read = [](std::string_view text) { return ParseJson(text).value(); };
  EXPECT_EQ(read(R"({"a":1,"b":{"c":2,"d":3}})"), read(R"({"b":{"d":3,"c":2},"a":1})"));
  EXPECT_NE(read(R"({"a":1})"), read(R"({"a":2})"));
  EXPECT_NE(read(R"({"a":1})"), read(R"({"b":1})"));
  EXPECT_NE(read(R"({"a":1})"), read(R"({"a":1,"b":1})"));
  EXPECT_NE(read("[1,2]"), read("[2,1]"));
  EXPECT_NE(read("[]"), read("{}"));
  EXPECT_NE(read("null"), read("false"));
  EXPECT_NE(read("\"1\""), read("1"));
}

TEST(Json, ComparesNumbersOfDifferentKindsByTheirText) {
  EXPECT_EQ(Json(1), Json(1.0));
  EXPECT_EQ(Json(1.0), Json(1));
  EXPECT_NE(Json(INT64_MIN), Json(-9223372036854775808.0)) << "written -9223372036854776000";
  EXPECT_NE(Json(std::uint64_t{1} << 63), Json(9223372036854775808.0));
  EXPECT_EQ(Json(72057594037927940), Json(72057594037927936.0)) << "written 72057594037927940";
  EXPECT_NE(Json(INT64_MAX), Json(9223372036854775808.0));
  EXPECT_NE(Json(UINT64_MAX), Json(18446744073709551616.0));
  EXPECT_NE(Json(9007199254740993), Json(9007199254740992.0));
  EXPECT_NE(Json(1), Json(1.5));
  EXPECT_NE(Json(-1), Json(UINT64_MAX));
  EXPECT_NE(Json(1e300), Json(1));
}

TEST(Json, EqualsItsOwnTextReadBack) {
  for (const std::string_view text :
       {"72057594037927936.0", "-1152921504606846976e0", "9223372036854775808.0", "-9223372036854775808.0",
        "-9223372036854775808", "1e20", "-0.0"}) {
    const Json value = ParseJson(text).value();
    EXPECT_EQ(ParseJson(ToText(value)).value(), value) << text;
    EXPECT_EQ(ParseYaml(ToYaml(value)).value(), value) << text;
  }
}

TEST(Json, ComparesLargeObjectsInReasonableTime) {
  JsonObject up, down;
  for (int i = 0; i < 100'000; ++i) up.emplace_back(std::to_string(i), i);
  down.assign(up.rbegin(), up.rend());
  EXPECT_EQ(Json(up), Json(down));
}

}  // namespace
}  // namespace portcullis::codec

#include "http/target.h"

#include <gtest/gtest.h>

namespace portcullis::http {
namespace {

TEST(ParseTarget, KeepsThePathAsSent) {
  for (const char* path :
       {"/", "/a", "/kbs/v0/resource/ns/type/tag", "/a-b_c.d~e", "/a/.b", "/a/..b", "/a/"}) {
    const auto target = ParseTarget(path);
    ASSERT_TRUE(target) << path;
    EXPECT_EQ(target->path, path);
    EXPECT_TRUE(target->query.empty());
  }
}

TEST(ParseTarget, RefusesPathsWithTwoReadings) {
  for (const char* path :
       {"",        "a",         "*",         "//",     "//a",   "/a//b", "/.",    "/..",  "/a/./b",
        "/a/../b", "/a/..",     "/%2e%2e/a", "/a%2fb", "/a%00", "/a%zz", "/a\\b", "/a#b", "http://h/a",
        "/a b",    "/\xC3\xA9", "/a\"b",     "/a<b",   "/a|b",  "/a^b",  "/a`b",  "/a{b}"})
    EXPECT_FALSE(ParseTarget(path)) << path;
}

TEST(ParseTarget, DecodesTheQuery) {
  const auto target = ParseTarget("/a?after=12&wait=5&name=x%2Fy%20z&flag&plus=a+b&mark=?");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->query.size(), 6u);
  EXPECT_EQ(target->query.at("after"), "12");
  EXPECT_EQ(target->query.at("name"), "x/y z");
  EXPECT_EQ(target->query.at("flag"), "");
  EXPECT_EQ(target->query.at("plus"), "a+b");  // a plus is a plus: forms are not spoken here
  EXPECT_EQ(target->query.at("mark"), "?");
  EXPECT_TRUE(ParseTarget("/a?")->query.empty());
}

TEST(ParseTarget, RefusesQueriesWithTwoReadings) {
  for (const char* query : {"a=1&a=2", "a=1&%61=2", "a=%", "a=%4", "a=%4g", "a=%00", "a=%0a", "a=%7f",
                            "a=%80", "=1", "&", "a=1&&b=2", "a=\"", "a=#", "a=[1]"})
    EXPECT_FALSE(ParseTarget(std::string("/a?") + query)) << query;
}

TEST(ParseTarget, LimitsTheParameters) {
  std::string query = "/a?";
  for (std::size_t i = 0; i < kMaxQueryParameters; ++i) query += "p" + std::to_string(i) + "&";
  query.pop_back();
  EXPECT_TRUE(ParseTarget(query));
  EXPECT_FALSE(ParseTarget(query + "&more"));
}

}  // namespace
}  // namespace portcullis::http

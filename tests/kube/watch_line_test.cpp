#include "kube/watch_line.h"

#include <gtest/gtest.h>

#include "kube/status.h"
#include "tests/kube/api_script.h"

namespace portcullis::kube {
namespace {

TEST(ParseWatchLine, ReadsEachType) {
  for (const std::string type : {"ADDED", "MODIFIED", "DELETED", "BOOKMARK"}) {
    const auto event = ParseWatchLine(test::WatchLine(type, "web", "42"));
    ASSERT_TRUE(event) << type;
    EXPECT_EQ(NameOf(event->type), type);
    EXPECT_EQ(event->resource_version, "42");
    EXPECT_EQ(event->object.TextAt({"metadata", "name"}), "web");
  }
}

TEST(ParseWatchLine, RefusesEveryTruncation) {
  const std::string line = test::WatchLine("ADDED", "web", "42");
  for (std::size_t length = 0; length < line.size(); ++length)
    EXPECT_EQ(ParseWatchLine(line.substr(0, length)).error().code, ReasonCode::kUnreachable) << length;
  EXPECT_FALSE(ParseWatchLine(line + "{}"));
}

TEST(ParseWatchLine, RefusesWhatIsNoEvent) {
  for (const std::string line :
       {R"({"type":"REMOVED","object":{"metadata":{"resourceVersion":"1"}}})", R"({"type":"ADDED"})",
        R"({"type":"ADDED","object":[]})", R"({"type":"ADDED","object":{"metadata":{}}})",
        R"({"type":1,"object":{"metadata":{"resourceVersion":"1"}}})", R"([])", R"("ADDED")"})
    EXPECT_EQ(ParseWatchLine(line).error().code, ReasonCode::kUnreachable) << line;
}

TEST(ParseWatchLine, TakesALineUpToTheLimitAndNotOneMore) {
  const std::string line = test::WatchLine("ADDED", "web", "42");
  EXPECT_TRUE(ParseWatchLine(line + std::string(kMaxWatchLineBytes - line.size(), ' ')));
  EXPECT_FALSE(ParseWatchLine(line + std::string(kMaxWatchLineBytes - line.size() + 1, ' ')));
}

TEST(ParseWatchLine, AnErrorLineIsTheErrorItReports) {
  const auto line = [](std::string status) { return R"({"type":"ERROR","object":)" + status + "}"; };
  EXPECT_TRUE(IsExpired(ParseWatchLine(line(test::StatusBody(410, "Expired"))).error()));
  EXPECT_EQ(ParseWatchLine(line(test::StatusBody(429, "TooManyRequests"))).error().code,
            ReasonCode::kOverloaded);
  EXPECT_EQ(ParseWatchLine(line(R"({"code":7})")).error().code, ReasonCode::kUnreachable);
  EXPECT_EQ(ParseWatchLine(line(R"({})")).error().code, ReasonCode::kUnreachable);
}

}  // namespace
}  // namespace portcullis::kube

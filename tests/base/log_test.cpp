#include "base/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <thread>
#include <vector>

#include "codec/json.h"

namespace portcullis {
namespace {

/// What `body` writes to file descriptor 2, line by line.
template <typename Body>
std::vector<std::string> Captured(Body body) {
  std::FILE* file = std::tmpfile();
  const int kept = dup(STDERR_FILENO);
  dup2(fileno(file), STDERR_FILENO);
  body();
  dup2(kept, STDERR_FILENO);
  close(kept);

  std::vector<std::string> lines;
  std::rewind(file);
  std::string line;
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) {
    line += static_cast<char>(c);
    if (c == '\n') lines.push_back(std::exchange(line, {}));
  }
  std::fclose(file);
  EXPECT_EQ(line, "") << "a line without its end";
  return lines;
}

codec::Json Read(std::string_view line) { return codec::ParseJson(line).value(); }

TEST(Log, WritesOneJsonLine) {
  const auto lines = Captured([] {
    Log(LogLevel::kInfo, "key released", {{"pod", "llm-0"}, {"count", "3"}});
  });
  ASSERT_EQ(lines.size(), 1u);
  const codec::Json line = Read(lines[0]);
  EXPECT_EQ(line.TextAt({"level"}), "info");
  EXPECT_EQ(line.TextAt({"message"}), "key released");
  EXPECT_EQ(line.TextAt({"pod"}), "llm-0");
  EXPECT_EQ(line.TextAt({"count"}), "3");
  EXPECT_EQ(line.TextAt({"time"}).size(), std::string_view("2026-11-24T21:53:00.123000Z").size());
}

TEST(Log, NeverLetsAValueBreakOutOfItsPlace) {
  const std::string hostile("\"},\n{\"level\":\"error\"\\\x1b[31m\0\x7f\xC3\xA9\xFF", 31);
  const auto lines = Captured([&] { Log(LogLevel::kInfo, "hostile", {{"a\"b", hostile}}); });
  ASSERT_EQ(lines.size(), 1u);
  for (const char c : lines[0].substr(0, lines[0].size() - 1)) EXPECT_TRUE(c >= 0x20 && c < 0x7f);
  const codec::Json line = Read(lines[0]);
  EXPECT_EQ(line.if_object()->size(), 4u);
  EXPECT_TRUE(line.TextAt({"a\"b"}).starts_with("\"},\n{\"level\":\"error\"\\\x1b[31m"));
  EXPECT_EQ(line.TextAt({"level"}), "info");
}

TEST(Log, DropsWhatIsBelowItsLevel) {
  EXPECT_EQ(Captured([] { Log(LogLevel::kDebug, "detail"); }).size(), 0u);
  SetLogLevel(LogLevel::kDebug);
  EXPECT_EQ(Captured([] { Log(LogLevel::kDebug, "detail"); }).size(), 1u);
  SetLogLevel(LogLevel::kError);
  EXPECT_EQ(Captured([] { Log(LogLevel::kWarning, "not now"); }).size(), 0u);
  SetLogLevel(LogLevel::kInfo);
}

TEST(Log, LimitsWarningsOfOneMessageAndLeavesOthersAlone) {
  EXPECT_EQ(Captured([] {
              for (int i = 0; i < 1000; ++i) Log(LogLevel::kWarning, "flooding warning");
            }).size(),
            20u);
  EXPECT_EQ(Captured([] { Log(LogLevel::kError, "flooding warning"); }).size(), 0u);
  EXPECT_EQ(Captured([] { Log(LogLevel::kWarning, "another warning"); }).size(), 1u);
  EXPECT_EQ(Captured([] {
              for (int i = 0; i < 100; ++i) Log(LogLevel::kInfo, "information is not limited");
            }).size(),
            100u);
}

TEST(Log, KeepsLinesOfSeveralThreadsApart) {
  const auto lines = Captured([] {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([] {
        for (int j = 0; j < 100; ++j) Log(LogLevel::kInfo, "together", {{"value", std::string(500, 'x')}});
      });
  });
  ASSERT_EQ(lines.size(), 400u);
  for (const std::string& line : lines) EXPECT_EQ(Read(line).TextAt({"message"}), "together");
}

TEST(ParseLogLevel, KnowsFourNames) {
  EXPECT_EQ(ParseLogLevel("debug").value(), LogLevel::kDebug);
  EXPECT_EQ(ParseLogLevel("info").value(), LogLevel::kInfo);
  EXPECT_EQ(ParseLogLevel("warning").value(), LogLevel::kWarning);
  EXPECT_EQ(ParseLogLevel("error").value(), LogLevel::kError);
  for (const std::string_view name : {"", "Info", "warn", "trace", "info "}) {
    ASSERT_FALSE(ParseLogLevel(name)) << name;
    EXPECT_EQ(ParseLogLevel(name).error().code, ReasonCode::kConfigurationInvalid);
  }
}

}  // namespace
}  // namespace portcullis

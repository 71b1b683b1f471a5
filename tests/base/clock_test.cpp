#include "base/clock.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"
#include "tests/support/seeded_random.h"

namespace portcullis {
namespace {

using namespace std::chrono_literals;

WallTime At(std::int64_t milliseconds) { return WallTime(std::chrono::milliseconds(milliseconds)); }
constexpr std::int64_t kMoment = 1795557180123;  // 2026-11-24T21:53:00.123Z

TEST(Timestamps, AreRfc3339InUtc) {
  EXPECT_EQ(FormatTimestamp(At(kMoment)), "2026-11-24T21:53:00Z");
  EXPECT_EQ(FormatTimestampMicro(At(kMoment)), "2026-11-24T21:53:00.123000Z");
  EXPECT_EQ(FormatTimestamp(At(0)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatTimestamp(At(-1)), "1969-12-31T23:59:59Z");
  EXPECT_EQ(FormatTimestampMicro(At(-1)), "1969-12-31T23:59:59.999000Z");
}

struct Case {
  const char* text;
  std::int64_t milliseconds;
};
constexpr Case kReadable[] = {
    {"2026-11-24T21:53:00Z", 1795557180000},        {"2026-11-24t21:53:00z", 1795557180000},
    {"2026-11-24T21:53:00.1Z", 1795557180100},      {"2026-11-24T21:53:00.123Z", kMoment},
    {"2026-11-24T21:53:00.123999999Z", kMoment},  // cut, not rounded
    {"2026-11-24T21:53:00.000000Z", 1795557180000}, {"2026-11-24T23:53:00+02:00", 1795557180000},
    {"2026-11-24T16:23:00-05:30", 1795557180000},   {"2026-11-24T21:53:00-00:00", 1795557180000},
    {"2024-02-29T00:00:00Z", 1709164800000},        {"1970-01-01T00:00:00Z", 0},
    {"2016-12-31T23:59:60Z", 1483228800000},  // a leap second is the next second
};

TEST(ParseTimestamp, ReadsRfc3339) {
  for (const Case& c : kReadable) {
    const auto time = ParseTimestamp(c.text);
    ASSERT_TRUE(time) << c.text;
    EXPECT_EQ(*time, At(c.milliseconds)) << c.text;
  }
}

TEST(ParseTimestamp, RefusesEverythingElse) {
  for (const std::string_view text : {"",
                                      "2026-11-24",
                                      "2026-11-24 21:53:00Z",
                                      "2026-11-24T21:53:00",
                                      "2026-11-24T21:53Z",
                                      "2026-13-24T21:53:00Z",
                                      "2026-00-24T21:53:00Z",
                                      "2026-11-31T21:53:00Z",
                                      "2026-11-00T21:53:00Z",
                                      "2023-02-29T00:00:00Z",
                                      "2026-11-24T24:00:00Z",
                                      "2026-11-24T21:60:00Z",
                                      "2026-11-24T21:53:61Z",
                                      "2026-11-24T21:53:00.Z",
                                      "2026-11-24T21:53:00.0123456789Z",
                                      "2026-11-24T21:53:00,5Z",
                                      "2026-11-24T21:53:00+0200",
                                      "2026-11-24T21:53:00+24:00",
                                      "2026-11-24T21:53:00+02:60",
                                      "2026-11-24T21:53:00+02",
                                      "2026-11-24T21:53:00ZZ",
                                      "2026-11-24T21:53:00Z ",
                                      " 2026-11-24T21:53:00Z",
                                      "+026-11-24T21:53:00Z",
                                      "2026-1a-24T21:53:00Z",
                                      "2026/11/24T21:53:00Z",
                                      "2026-11-24T21-53-00Z",
                                      "20261124T215300Z",
                                      "1795557180"}) {
    const auto time = ParseTimestamp(text);
    ASSERT_FALSE(time) << text;
    EXPECT_EQ(time.error().code, ReasonCode::kRequestMalformed);
  }
}

TEST(ParseTimestamp, RefusesEveryTruncation) {
  const std::string text = "2026-11-24T21:53:00.123+02:00";
  ASSERT_TRUE(ParseTimestamp(text));
  for (std::size_t length = 0; length < text.size(); ++length)
    EXPECT_FALSE(ParseTimestamp(text.substr(0, length))) << length;
}

TEST(ParseTimestamp, ReadsWhatIsFormatted) {
  test::SeededRandom random(test::PrintedSeed());
  for (int i = 0; i < 10'000; ++i) {
    const WallTime time = At(static_cast<std::int64_t>(random.Below(253402300800000)));  // to the year 9999
    EXPECT_EQ(ParseTimestamp(FormatTimestampMicro(time)).value(), time);
    EXPECT_EQ(ParseTimestamp(FormatTimestamp(time)).value(), std::chrono::floor<std::chrono::seconds>(time));
  }
}

TEST(SystemClock, GoesForward) {
  const SystemClock clock;
  const WallTime wall = clock.Now();
  const SteadyTime steady = clock.Steady();
  EXPECT_GT(wall, At(1'700'000'000'000));
  EXPECT_GE(clock.Steady(), steady);
}

TEST(FakeClock, MovesOnlyWhenTold) {
  test::FakeClock clock;
  EXPECT_EQ(FormatTimestamp(clock.Now()), "2026-11-24T21:53:00Z");
  const SteadyTime steady = clock.Steady();
  clock.Advance(90s);
  EXPECT_EQ(FormatTimestamp(clock.Now()), "2026-11-24T21:54:30Z");
  EXPECT_EQ(clock.Steady() - steady, 90s);
  clock.SetWallTime(At(0));
  EXPECT_EQ(clock.Steady() - steady, 90s);
}

}  // namespace
}  // namespace portcullis

#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace portcullis {
namespace {

Result<int> Positive(int value) {
  if (value <= 0) return Error{ReasonCode::kRequestMalformed, "must be positive", "value"};
  return value;
}

Result<int> Doubled(int value) { return 2 * TRY(Positive(value)); }
Result<int> DoubledAtPlace(int value) { return 2 * TRY_AT("outer", Positive(value)); }

Result<> Check(bool good) {
  if (!good) return Error{ReasonCode::kForbidden, "not good"};
  return Done{};
}
Result<> CheckBoth(bool first, bool second) {
  TRY(Check(first));
  TRY(Check(second));
  return Done{};
}

TEST(Result, HoldsAValueOrAnError) {
  EXPECT_TRUE(Positive(1).has_value());
  EXPECT_EQ(*Positive(1), 1);
  EXPECT_FALSE(Positive(0));
  EXPECT_EQ(Positive(0).error().code, ReasonCode::kRequestMalformed);
  EXPECT_EQ(Positive(3).value_or(7), 3);
  EXPECT_EQ(Positive(-3).value_or(7), 7);
}

TEST(Result, MovesWhatCannotBeCopied) {
  Result<std::unique_ptr<int>> made = std::make_unique<int>(5);
  const std::unique_ptr<int> taken = std::move(made).value();
  EXPECT_EQ(*taken, 5);
}

TEST(ResultDeathTest, ReadingTheAbsentSideAborts) {
  EXPECT_DEATH((void)Positive(0).value(), "");
  EXPECT_DEATH((void)*Positive(0), "");
  EXPECT_DEATH((void)Positive(1).error(), "");
}

TEST(Try, YieldsTheValueOrReturnsTheError) {
  EXPECT_EQ(Doubled(4).value(), 8);
  EXPECT_EQ(Doubled(0).error().ToString(), "RequestMalformed: must be positive (value)");
  EXPECT_EQ(DoubledAtPlace(0).error().ToString(), "RequestMalformed: must be positive (outer.value)");
  EXPECT_TRUE(CheckBoth(true, true));
  EXPECT_FALSE(CheckBoth(false, true));
  EXPECT_FALSE(CheckBoth(true, false));
}

TEST(Error, PutsOuterPlacesInFront) {
  EXPECT_EQ((Error{ReasonCode::kNotFound, "x"}.At("policy").At("spec").where), "spec.policy");
  EXPECT_EQ((Error{ReasonCode::kNotFound, "x"}.At("[3]").At("items").where), "items[3]");
  EXPECT_EQ((Error{ReasonCode::kNotFound, "is gone"}.ToString()), "NotFound: is gone");
}

TEST(Quoted, MakesOutsideTextFitToPrint) {
  EXPECT_EQ(Quoted("plain"), "\"plain\"");
  EXPECT_EQ(Quoted("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(Quoted(std::string_view("\0\n\x1b[31m\x7f\xC3\xA9", 10)), R"("\x00\x0a\x1b[31m\x7f\xc3\xa9")");
}

TEST(Quoted, CutsWhatIsLong) {
  const std::string quoted = Quoted(std::string(100'000, 'x'));
  EXPECT_LE(quoted.size(), 210u);
  EXPECT_TRUE(quoted.ends_with("...\""));
  EXPECT_TRUE(Quoted(std::string(200, 'x')).ends_with("x\""));
  EXPECT_LE(Quoted(std::string(100'000, '\0')).size(), 210u);
}

}  // namespace
}  // namespace portcullis

#include "http/lines.h"

#include <gtest/gtest.h>

#include <vector>

namespace portcullis::http {
namespace {

using State = LineSplitter::State;

TEST(LineSplitter, CutsTheSameLinesHoweverThePiecesFall) {
  const std::string text = "{\"a\":1}\n\nlong line here\nlast";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    std::vector<std::string> lines;
    LineSplitter splitter(100, [&](std::string_view line) { return lines.emplace_back(line), true; });
    for (std::size_t at = 0; at < text.size(); at += piece)
      ASSERT_EQ(splitter.Feed(std::string_view(text).substr(at, piece)), State::kMore);
    ASSERT_EQ(splitter.Finish(), State::kMore);
    ASSERT_EQ(lines, (std::vector<std::string>{"{\"a\":1}", "", "long line here", "last"})) << piece;
  }
}

TEST(LineSplitter, StopsWhereItIsTold) {
  int seen = 0;
  LineSplitter splitter(100, [&](std::string_view) { return ++seen < 2; });
  EXPECT_EQ(splitter.Feed("a\nb\nc\n"), State::kStopped);
  EXPECT_EQ(seen, 2);
}

TEST(LineSplitter, RefusesALineAboveTheLimit) {
  const auto any = [](std::string_view) { return true; };
  EXPECT_EQ(LineSplitter(4, any).Feed("1234\n"), State::kMore);
  EXPECT_EQ(LineSplitter(4, any).Feed("12345\n"), State::kTooLong);
  LineSplitter in_pieces(4, any);
  EXPECT_EQ(in_pieces.Feed("123"), State::kMore);
  EXPECT_EQ(in_pieces.Feed("45"), State::kTooLong);
}

}  // namespace
}  // namespace portcullis::http

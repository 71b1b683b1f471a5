#include "evidence/check.h"

#include <gtest/gtest.h>

namespace portcullis::evidence {
namespace {

constexpr Check<int> kChecks[] = {
    {"test.positive", ReasonCode::kTcbBelowFloor, "a book",
     [](const int& n) {
       return Comparison{n > 0, "above 0", std::to_string(n)};
     }},
    {"test.even", ReasonCode::kTcbBelowFloor, "a book",
     [](const int& n) {
       return Comparison{n % 2 == 0, "even", std::to_string(n)};
     }},
    {"test.nothing-to-compare", ReasonCode::kChipNotAllowed, "a book",
     [](const int& n) {
       return Comparison{true, "", "", n != 7};
     }},
};

ProofTree AppraisalOf(int value) {
  ProofTree tree;
  Appraise(std::span<const Check<int>>(kChecks), value, tree);
  return tree;
}

TEST(Appraise, ListsEveryRefusalAndEveryPass) {
  const ProofTree tree = AppraisalOf(-3);
  ASSERT_EQ(tree.findings.size(), 3u);
  EXPECT_EQ(tree.findings[0].outcome, Outcome::kFailed);
  EXPECT_EQ(tree.findings[1].outcome, Outcome::kFailed);
  EXPECT_EQ(tree.findings[2].outcome, Outcome::kPassed);
  EXPECT_EQ(tree.findings[1].expected, "even");
  EXPECT_EQ(tree.findings[1].actual, "-3");
}

TEST(ProofTree, AllowsOnlyWhereEveryRowPassed) {
  EXPECT_TRUE(AppraisalOf(2).allowed());
  EXPECT_FALSE(AppraisalOf(-2).allowed());
  EXPECT_FALSE(AppraisalOf(1).allowed());
}

TEST(ProofTree, DeniesWhereNothingWasAppraised) { EXPECT_FALSE(ProofTree{}.allowed()); }

TEST(ProofTree, DeniesWhereARowCouldNotRun) {
  ProofTree tree = AppraisalOf(2);
  NotEvaluated(std::span<const Check<int>>(kChecks).first(1), tree);
  EXPECT_FALSE(tree.allowed());
  EXPECT_TRUE(tree.reasons().empty());
}

TEST(ProofTree, DeniesWhereARowHadNothingToCompareWith) {
  ProofTree tree;
  const int seven = 7;
  Appraise(std::span<const Check<int>>(kChecks).subspan(2), seven, tree);
  EXPECT_EQ(tree.findings.front().outcome, Outcome::kNotEvaluated);
  EXPECT_FALSE(tree.allowed());
}

TEST(ProofTree, GivesEachReasonOnce) {
  EXPECT_EQ(AppraisalOf(-3).reasons(), std::vector{ReasonCode::kTcbBelowFloor});
}

TEST(ProofTree, ShowsBothSidesOfARow) {
  const codec::Json json = AppraisalOf(-2).ToJson();
  ASSERT_TRUE(json.is_array());
  const codec::Json& row = json.if_array()->front();
  EXPECT_EQ(row.TextAt({"id"}), "test.positive");
  EXPECT_EQ(row.TextAt({"reason"}), "TcbBelowFloor");
  EXPECT_EQ(row.TextAt({"outcome"}), "failed");
  EXPECT_EQ(row.TextAt({"expected"}), "above 0");
  EXPECT_EQ(row.TextAt({"actual"}), "-2");
  EXPECT_EQ(row.TextAt({"source"}), "a book");
}

}  // namespace
}  // namespace portcullis::evidence

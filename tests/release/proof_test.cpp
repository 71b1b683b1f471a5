#include "release/proof.h"

#include <gtest/gtest.h>

#include <map>

#include "evidence/azure/checks.h"
#include "evidence/snp/checks.h"
#include "evidence/tdx/checks.h"
#include "policy/policy.h"

namespace portcullis::test {
namespace {

using evidence::Finding;
using evidence::Outcome;

std::vector<Finding> AllRows() {
  std::vector<Finding> rows;
  for (const auto& table :
       {snp::CheckRows(), tdx::CheckRows(), azure::CheckRows(), policy::RequestCheckRows()})
    rows.insert(rows.end(), table.begin(), table.end());
  for (const auto& row :
       {release::kRegistered, release::kPolicyAccepted, release::kPolicyIntact, release::kInitDataNamesIt,
        release::kPolicyAuthority, release::kLive, release::kLimit, release::kChallengeUnused,
        release::kChallengeInTime, release::kKeyAvailable})
    rows.push_back(row.Refuse("", ""));
  return rows;
}

codec::Json Stored(const evidence::ProofTree& tree) {
  codec::JsonWriter out;
  release::WriteProof(tree, out);
  return codec::ParseJson(std::move(out).Take()).value();
}

TEST(Proof, ShowsEveryRowOfEveryTableAsItWas) {
  evidence::ProofTree tree{AllRows()};
  const Outcome outcomes[] = {Outcome::kPassed, Outcome::kFailed, Outcome::kNotEvaluated};
  for (std::size_t i = 0; i < tree.findings.size(); ++i) {
    tree.findings[i].outcome = outcomes[i % 3];
    tree.findings[i].expected = "at least " + std::to_string(i);
    tree.findings[i].actual = "\"" + std::to_string(i) + "\" \xC3\xA4";
  }
  ASSERT_GT(tree.findings.size(), 150u);
  EXPECT_EQ(release::ShownProof(Stored(tree)), tree.ToJson());
}

TEST(Proof, StoresNeitherReasonsNorSources) {
  const std::string text = codec::ToText(Stored({{release::kLimit.Refuse("at most 1", "2 made")}}));
  EXPECT_EQ(text, R"([["release.limit","failed","at most 1","2 made"]])");
}

TEST(Proof, StoresTheBeginningOfWhatIsTooLong) {
  const std::string full(release::kMaxStoredText, 'x'), ellipsis = "\xE2\x80\xA6";
  const auto stored = [](const std::string& actual) {
    const codec::Json tree = Stored({{release::kLimit.Refuse(actual, actual)}});
    const codec::JsonArray& row = *tree.if_array()->front().if_array();
    EXPECT_EQ(row[2], row[3]);
    return *row[3].if_string();
  };
  EXPECT_EQ(stored(full), full);
  EXPECT_EQ(stored(full + "y"), full + ellipsis);
  EXPECT_EQ(stored(std::string(1u << 20, 'x')), full + ellipsis);
  // A character is whole or not there.
  for (const std::string& wide :
       {std::string("\xC3\xA4"), std::string("\xE2\x82\xAC"), std::string("\xF0\x9F\x94\x91")})
    for (std::size_t before = 1; before <= wide.size(); ++before) {
      const std::string head = full.substr(before);
      EXPECT_EQ(stored(head + wide + full), before == wide.size() ? head + wide + ellipsis : head + ellipsis);
    }
}

TEST(Proof, OfARowHasOneReasonAndOneSourceWhereverItStands) {
  std::map<std::string_view, Finding> first;
  for (const Finding& row : AllRows()) {
    const auto [known, is_new] = first.try_emplace(row.check_id, row);
    EXPECT_EQ(known->second.reason, row.reason) << row.check_id;
    EXPECT_EQ(std::string_view(known->second.source), std::string_view(row.source)) << row.check_id;
  }
}

TEST(Proof, KeepsWhatWasStoredOfARowThatNoTableHasAnyMore) {
  const auto stored =
      codec::ParseJson(R"([["snp.of-an-older-release","failed","1","2"],["short"],"no row"])");
  const codec::Json shown = release::ShownProof(stored.value());
  ASSERT_EQ(shown.if_array()->size(), 2u);
  EXPECT_EQ(codec::ToText(shown.if_array()->front()),
            R"({"id":"snp.of-an-older-release","reason":"","outcome":"failed","expected":"1","actual":"2",)"
            R"("source":""})");
}

}  // namespace
}  // namespace portcullis::test

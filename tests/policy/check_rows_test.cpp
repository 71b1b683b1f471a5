// The tables of checks of every TEE, as dashboards, policies and auditors see them.
#include <gtest/gtest.h>

#include <set>

#include "evidence/azure/checks.h"
#include "evidence/snp/checks.h"
#include "policy/policy.h"
#include "tests/support/golden.h"

namespace portcullis::policy {
namespace {

std::vector<evidence::Finding> AllRows() {
  std::vector<evidence::Finding> out;
  for (const auto& rows : {snp::CheckRows(), tdx::CheckRows(), azure::CheckRows(), RequestCheckRows()})
    out.insert(out.end(), rows.begin(), rows.end());
  return out;
}

TEST(CheckRows, AreTheOnesOfTheGoldenFile) {
  std::string table;
  for (const evidence::Finding& row : AllRows())
    table += std::string(row.check_id) + "\t" + std::string(NameOf(row.reason)) + "\t" +
             std::string(row.source) + "\n";
  test::ExpectGolden("tests/golden/checks-of-all-tees.txt", table);
}

TEST(CheckRows, AreEachExplainedInTheReference) {
  const std::string page = test::ReadSource("docs/reference/checks.md");
  for (const evidence::Finding& row : AllRows()) {
    const std::string cells =
        "| `" + std::string(row.check_id) + "` | " + std::string(NameOf(row.reason)) + " |";
    const std::size_t at = page.find(cells);
    ASSERT_NE(at, std::string::npos) << cells;
    const std::string line = page.substr(at, page.find('\n', at) - at);
    EXPECT_TRUE(line.ends_with(" | " + std::string(row.source) + " |")) << line;
  }
}

TEST(CheckRows, HaveOneNameEach) {
  std::set<std::string> ids;
  for (const evidence::Finding& row : AllRows())
    EXPECT_TRUE(ids.emplace(row.check_id).second) << row.check_id;
}

}  // namespace
}  // namespace portcullis::policy

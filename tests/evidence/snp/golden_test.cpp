#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "evidence/snp/checks.h"
#include "tests/support/golden.h"
#include "tests/support/testdata.h"

namespace portcullis::snp {
namespace {

std::filesystem::path InSource(std::string_view relative) {
  return std::filesystem::path(PORTCULLIS_SOURCE_ROOT) / relative;
}

std::string TableOfChecks() {
  std::ostringstream out;
  for (const evidence::Finding& row : CheckRows())
    out << row.check_id << "\t" << NameOf(row.reason) << "\t" << row.source << "\n";
  return out.str();
}

// A check that goes, or is called something else, is a change that dashboards, policies and auditors see.
TEST(SnpCheckRows, AreTheOnesOfTheGoldenFile) {
  test::ExpectGolden("tests/golden/checks.txt", TableOfChecks());
}

TEST(SnpCheckRows, AreEachExplained) {
  const std::string page = test::ReadFile(InSource("docs/reference/checks.md"));
  for (const evidence::Finding& row : CheckRows()) {
    const std::string cells =
        "| `" + std::string(row.check_id) + "` | " + std::string(NameOf(row.reason)) + " |";
    EXPECT_NE(page.find(cells), std::string::npos) << row.check_id;
  }
}

TEST(SnpCheckRows, HaveUniqueNames) {
  std::set<std::string> ids;
  for (const evidence::Finding& row : CheckRows())
    EXPECT_TRUE(ids.emplace(row.check_id).second) << row.check_id;
}

}  // namespace
}  // namespace portcullis::snp

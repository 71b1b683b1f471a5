#include "tests/support/testdata.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>

namespace portcullis::test {
namespace {

std::filesystem::path Root() {
  if (const char* root = std::getenv("PORTCULLIS_TESTDATA"); root != nullptr && *root != '\0') return root;
  return std::filesystem::path(PORTCULLIS_SOURCE_DIR).parent_path() / "shared" / "testdata";
}

}  // namespace

std::optional<std::filesystem::path> TestData(std::string_view relative) {
  const std::filesystem::path path = Root() / relative;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::nullopt;
  return path;
}

std::string ReportMissingTestData(std::string_view relative) {
  const std::string text = "NOT RUN: no test data at " + (Root() / relative).string() +
                           " (set PORTCULLIS_TESTDATA to the folder that holds it)";
  std::cerr << "\n*** " << text << " ***\n" << std::endl;
  if (std::getenv("PORTCULLIS_REQUIRE_TESTDATA") != nullptr) ADD_FAILURE() << text;
  return text;
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) ADD_FAILURE() << "can't read " << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

ByteBuffer ReadBytes(const std::filesystem::path& path) { return ToBuffer(AsBytes(ReadFile(path))); }

std::vector<std::filesystem::path> FilesIn(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.is_regular_file()) files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

}  // namespace portcullis::test

#include "tests/support/golden.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace portcullis::test {

void ExpectGolden(std::string_view relative, std::string_view actual) {
  const std::filesystem::path path = std::filesystem::path(PORTCULLIS_SOURCE_DIR) / relative;
  if (const char* mode = std::getenv("PORTCULLIS_GOLDEN");
      mode != nullptr && std::string_view(mode) == "write") {
    std::ofstream(path, std::ios::binary) << actual;
    return;
  }
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file) << relative << " is missing: run with PORTCULLIS_GOLDEN=write";
  const std::string wanted{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_EQ(wanted, actual) << relative << " differs: run with PORTCULLIS_GOLDEN=write and review the diff";
}

}  // namespace portcullis::test

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
  EXPECT_EQ(ReadSource(relative), actual)
      << relative << " differs: run with PORTCULLIS_GOLDEN=write and review the diff";
}

std::string ReadSource(std::string_view relative) {
  std::ifstream file(std::filesystem::path(PORTCULLIS_SOURCE_DIR) / relative, std::ios::binary);
  if (!file) ADD_FAILURE() << relative << " is missing";
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace portcullis::test

#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace portcullis::test {

/// A file or folder of real evidence and public vectors, which lives outside the repository: below
/// $PORTCULLIS_TESTDATA, or ../shared/testdata beside the source tree. nullopt where it is absent.
std::optional<std::filesystem::path> TestData(std::string_view relative);

/// Says on stderr that a test did not run, and returns the text for the skip. Where
/// PORTCULLIS_REQUIRE_TESTDATA is set, the test fails instead: absent data must not look like a green run.
std::string ReportMissingTestData(std::string_view relative);

/// All bytes of a file; a test failure and nothing where it can't be read.
std::string ReadFile(const std::filesystem::path& path);
ByteBuffer ReadBytes(const std::filesystem::path& path);
/// The files of a folder, sorted by name.
std::vector<std::filesystem::path> FilesIn(const std::filesystem::path& folder);

}  // namespace portcullis::test

/// In a test: declares `variable` as the path of test data, or skips loudly.
#define PORTCULLIS_TESTDATA_OR_SKIP(variable, relative)                                            \
  const auto variable##_or_nothing = ::portcullis::test::TestData(relative);                       \
  if (!variable##_or_nothing) GTEST_SKIP() << ::portcullis::test::ReportMissingTestData(relative); \
  const std::filesystem::path variable = *variable##_or_nothing

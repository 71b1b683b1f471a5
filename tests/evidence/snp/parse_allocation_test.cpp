#include "tests/support/allocations.h"

#include <gtest/gtest.h>

#include "evidence/snp/report.h"
#include "tests/support/testdata.h"

namespace portcullis::snp {
namespace {

TEST(ParseReport, AsksForNoMemory) {
  PORTCULLIS_TESTDATA_OR_SKIP(file, "snp/turin-v5-gcp/report.bin");
  const ByteBuffer report = test::ReadBytes(file);
  bool parsed = false;
  EXPECT_EQ(test::AllocationsOf([&] { parsed = ParseReport(report).has_value(); }), 0u);
  EXPECT_TRUE(parsed);
  // The counter counts: a buffer is memory.
  EXPECT_EQ(test::AllocationsOf([] { const ByteBuffer some(100); }), 1u);
}

}  // namespace
}  // namespace portcullis::snp

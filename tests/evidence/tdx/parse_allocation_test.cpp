#include "tests/support/allocations.h"

#include <gtest/gtest.h>

#include "evidence/tdx/quote.h"
#include "tests/support/testdata.h"

namespace portcullis::tdx {
namespace {

TEST(ParseQuote, AsksForNoMemory) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "tdx/quotes");
  for (const char* name : {"v4-b0c06f-phala.bin", "v5-td15-90c06f.bin"}) {
    const ByteBuffer quote = test::ReadBytes(folder / name);
    bool parsed = false;
    EXPECT_EQ(test::AllocationsOf([&] { parsed = ParseQuote(quote).has_value(); }), 0u) << name;
    EXPECT_TRUE(parsed) << name;
  }
  // The counter counts: a buffer is memory.
  EXPECT_EQ(test::AllocationsOf([] { const ByteBuffer some(100); }), 1u);
}

}  // namespace
}  // namespace portcullis::tdx

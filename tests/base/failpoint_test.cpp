// Fail points as a production library sees them: nothing, whatever the environment says.
#include "base/failpoint.h"

#include <gtest/gtest.h>

#include <cstdlib>

#ifdef PORTCULLIS_FAILPOINTS
#error "tests of base are built as production code is"
#endif

namespace portcullis {
namespace {

Result<int> Step() {
  TRY(FailPoint("base.test.step"));
  return 1;
}

TEST(FailPoint, IsNothingInProductionCode) {
  setenv("PORTCULLIS_FAILPOINT", "base.test.step=error", 1);
  EXPECT_EQ(Step().value(), 1);
  unsetenv("PORTCULLIS_FAILPOINT");
}

}  // namespace
}  // namespace portcullis

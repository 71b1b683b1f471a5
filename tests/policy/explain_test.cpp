#include <gtest/gtest.h>

#include "policy/policy.h"
#include "tests/policy/complete_policy.h"
#include "tests/support/golden.h"

namespace portcullis::policy {
namespace {

TEST(Explain, SaysEveryRuleInPlainWords) {
  const auto policy = ParsePolicy(test::CompletePolicy());
  ASSERT_TRUE(policy);
  test::ExpectGolden("tests/golden/policy-explain.txt", Explain(*policy));
}

TEST(Explain, WarnsOfAnyGenuineChipAndSaysDirectDelivery) {
  codec::Json document = test::CompletePolicy();
  document.Set("delivery", "Direct");
  document.Find("tees")
      ->Find("snp")
      ->Find("chips")
      ->Set("mode", "AnyGenuine")
      .Set("allow", codec::JsonArray());
  const auto policy = ParsePolicy(document);
  ASSERT_TRUE(policy) << policy.error().ToString();
  const std::string text = Explain(*policy);
  EXPECT_NE(text.find("Any genuine chip"), std::string::npos);
  EXPECT_NE(text.find("no Kubernetes Secret"), std::string::npos);
}

}  // namespace
}  // namespace portcullis::policy

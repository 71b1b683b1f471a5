#include "kube/objects.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"

namespace portcullis::kube {
namespace {

TEST(SetCondition, MovesTheTransitionTimeOnlyWhenTheStatusFlips) {
  test::FakeClock clock;
  codec::Json status;
  EXPECT_TRUE(SetCondition(status, {"Ready", ConditionStatus::kFalse, "Pending", "waits"}, 1, clock.Now()));
  const std::string first(FindCondition(status, "Ready")->TextAt({"lastTransitionTime"}));
  clock.Advance(std::chrono::hours(1));
  EXPECT_TRUE(SetCondition(status, {"Ready", ConditionStatus::kFalse, "Denied", "no"}, 2, clock.Now()));
  EXPECT_EQ(FindCondition(status, "Ready")->TextAt({"lastTransitionTime"}), first);
  EXPECT_EQ(FindCondition(status, "Ready")->TextAt({"reason"}), "Denied");
  EXPECT_TRUE(SetCondition(status, {"Ready", ConditionStatus::kTrue, "Released", "yes"}, 2, clock.Now()));
  EXPECT_NE(FindCondition(status, "Ready")->TextAt({"lastTransitionTime"}), first);
  EXPECT_TRUE(IsConditionTrue(status, "Ready"));
}

TEST(SetCondition, SaysWhenNothingChanged) {
  test::FakeClock clock;
  codec::Json status;
  const Condition ready{"Ready", ConditionStatus::kTrue, "Released", "yes"};
  EXPECT_TRUE(SetCondition(status, ready, 1, clock.Now()));
  clock.Advance(std::chrono::hours(1));
  const codec::Json before = status;
  EXPECT_FALSE(SetCondition(status, ready, 1, clock.Now()));
  EXPECT_EQ(status, before);
  EXPECT_TRUE(SetCondition(status, ready, 2, clock.Now()));
}

TEST(SetCondition, LeavesOthersAlone) {
  test::FakeClock clock;
  codec::Json status;
  SetCondition(status, {"Registered", ConditionStatus::kTrue, "Registered", ""}, 1, clock.Now());
  SetCondition(status, {"Ready", ConditionStatus::kUnknown, "Pending", ""}, 1, clock.Now());
  EXPECT_EQ(status.Find("conditions")->if_array()->size(), 2u);
  EXPECT_TRUE(IsConditionTrue(status, "Registered"));
  EXPECT_FALSE(IsConditionTrue(status, "Ready"));
  EXPECT_FALSE(IsConditionTrue(status, "Attested"));
}

TEST(OwnerReferenceTo, NamesTheKindThatAListItemDoesNotSay) {
  const codec::Json pod =
      codec::Json::Object({{"metadata", codec::Json::Object({{"name", "web"}, {"uid", "u-1"}})}});
  const codec::Json owner = OwnerReferenceTo(kPods, pod);
  EXPECT_EQ(codec::ToText(owner),
            R"({"apiVersion":"v1","kind":"Pod","name":"web","uid":"u-1","controller":true,)"
            R"("blockOwnerDeletion":false})");
  EXPECT_EQ(OwnerReferenceTo(kKeyReleases, pod).TextAt({"apiVersion"}), "portcullis.dev/v1alpha1");
}

TEST(IsReleaseId, IsThirtyTwoLowerCaseHexDigits) {
  EXPECT_TRUE(IsReleaseId("0123456789abcdef0123456789abcdef"));
  EXPECT_FALSE(IsReleaseId("0123456789abcdef0123456789abcde"));
  EXPECT_FALSE(IsReleaseId("0123456789abcdef0123456789abcdef0"));
  EXPECT_FALSE(IsReleaseId("0123456789ABCDEF0123456789abcdef"));
  EXPECT_FALSE(IsReleaseId("0123456789abcdef0123456789abcdeg"));
  EXPECT_EQ(SecretNameFor("ab"), "portcullis-ab");
}

TEST(CutText, NeverSplitsACharacter) {
  EXPECT_EQ(CutText("abc", 3), "abc");
  EXPECT_EQ(CutText("abcd", 3), "abc");
  EXPECT_EQ(CutText("a\xC3\xA9", 2), "a");
  EXPECT_EQ(CutText("a\xC3\xA9", 3), "a\xC3\xA9");
  EXPECT_EQ(CutText("\xF0\x9F\x98\x80", 3), "");
}

}  // namespace
}  // namespace portcullis::kube

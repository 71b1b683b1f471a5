#include "base/reason.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace portcullis {
namespace {

bool IsCamelCase(std::string_view name) {
  return !name.empty() && name.front() >= 'A' && name.front() <= 'Z' &&
         std::ranges::all_of(name, [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); });
}

TEST(Reasons, HaveEachANameOfTheirOwn) {
  std::set<std::string_view> names;
  std::set<std::string> anchors;
  for (std::size_t i = 0; i < kReasonCount; ++i) {
    const auto code = static_cast<ReasonCode>(i);
    SCOPED_TRACE(NameOf(code));
    EXPECT_EQ(ReasonFor(code).code, code);
    EXPECT_TRUE(IsCamelCase(NameOf(code)));
    EXPECT_TRUE(names.insert(NameOf(code)).second);
    EXPECT_TRUE(anchors.insert(DocsAnchor(code)).second);
    EXPECT_EQ(ReasonNamed(NameOf(code)), code);
  }
}

TEST(Reasons, SayWhatHappenedAndWhatToDoInSentences) {
  for (std::size_t i = 0; i < kReasonCount; ++i) {
    const Reason& reason = ReasonFor(static_cast<ReasonCode>(i));
    SCOPED_TRACE(reason.name);
    EXPECT_TRUE(reason.message.size() > 20 && reason.message.ends_with('.'));
    EXPECT_TRUE(reason.remedy.size() > 10 && reason.remedy.ends_with('.'));
    EXPECT_NE(NameOf(reason.category), "unknown");
  }
}

TEST(Reasons, AreFoundByTheirExactNameAlone) {
  EXPECT_EQ(ReasonNamed("DebugEnabled"), ReasonCode::kDebugEnabled);
  for (const std::string_view name : {"", "debugenabled", "DebugEnabled ", "kDebugEnabled", "Nothing"})
    EXPECT_EQ(ReasonNamed(name), std::nullopt) << name;
}

TEST(Reasons, AreExplainedAtAStableAnchor) {
  EXPECT_STREQ(DocsAnchor(ReasonCode::kDebugEnabled), "docs/reference/reasons.md#debugenabled");
}

TEST(Reasons, LetOnlyWhatTimeCanHealBeTriedAgain) {
  for (const ReasonCode code :
       {ReasonCode::kUnreachable, ReasonCode::kOverloaded, ReasonCode::kAuditUnavailable,
        ReasonCode::kCollateralStale, ReasonCode::kEndorsementMissing})
    EXPECT_TRUE(ReasonFor(code).retryable) << NameOf(code);
  for (const ReasonCode code :
       {ReasonCode::kEvidenceMalformed, ReasonCode::kSignatureInvalid, ReasonCode::kMeasurementNotAllowed,
        ReasonCode::kDebugEnabled, ReasonCode::kPolicyRevisionRollback, ReasonCode::kRevoked,
        ReasonCode::kForbidden})
    EXPECT_FALSE(ReasonFor(code).retryable) << NameOf(code);
}

}  // namespace
}  // namespace portcullis

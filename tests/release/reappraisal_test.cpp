// Live releases under a new policy, while the broker lacks what an appraisal takes.

#include "tests/release/broker_fixture.h"

namespace portcullis::test {
namespace {

using codec::Json;
using namespace std::chrono_literals;

class Reappraisal : public BrokerTest {
 protected:
  std::string PolicyInForce() {
    return std::string(broker_->GetPolicy(kNamespace, kPolicyName)->TextAt({"digest"}));
  }
  /// A live release and a newer policy, and no revocation list since the newer policy came.
  LabGuest LiveAndOwed(const PolicyWish& newer) {
    const LabGuest guest = Admit(1);
    EXPECT_TRUE(Attest(guest).allowed());
    lists_.Lend(false);
    EXPECT_TRUE(PutPolicy(newer));
    return guest;
  }
};

TEST_F(Reappraisal, ThatLacksCollateralLeavesAReleaseAsItWasUntilThereIsSome) {
  const std::string before = PolicyInForce();
  const WallTime lease = clock_.Now() + 1h;
  const LabGuest guest = LiveAndOwed({.revision = 2, .lease_seconds = 7200});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ReleaseOf(guest).phase, release::Phase::kReleased);
    EXPECT_EQ(ReleaseOf(guest).policy_digest, before);
    EXPECT_EQ(ReleaseOf(guest).lease_expires, lease);
    clock_.Advance(1min);
    ASSERT_TRUE(broker_->Sweep());
  }
  lists_.Lend(true);
  clock_.Advance(1min);
  ASSERT_TRUE(broker_->Sweep());
  EXPECT_EQ(ReleaseOf(guest).phase, release::Phase::kReleased);
  EXPECT_EQ(ReleaseOf(guest).policy_digest, PolicyInForce());
  EXPECT_EQ(ReleaseOf(guest).lease_expires, lease) << "a longer lease needs a new attestation";
  EXPECT_EQ(CountRows("kind", "revocation"), 0);
}

TEST_F(Reappraisal, ThatLacksCollateralShortensTheLeaseAtOnceAndOnlyOnce) {
  const LabGuest guest = LiveAndOwed({.revision = 2, .lease_seconds = 600});
  const WallTime lease = clock_.Now() + 10min;
  EXPECT_EQ(ReleaseOf(guest).lease_expires, lease) << "which takes no collateral";
  for (const bool lent : {false, true}) {
    lists_.Lend(lent);
    clock_.Advance(1min);
    ASSERT_TRUE(broker_->Sweep());
    EXPECT_EQ(ReleaseOf(guest).lease_expires, lease);
  }
  EXPECT_EQ(ReleaseOf(guest).policy_digest, PolicyInForce());
}

TEST_F(Reappraisal, ThatCanNotJudgeTheNewPolicysRowsRevokes) {
  // Without collateral nothing in a TDX quote is trusted, so no measurement can be held to the new policy.
  const LabGuest guest = AdmitIn(policy::kTdx, 1);
  ASSERT_TRUE(Attest(guest).allowed());
  clock_.Advance(std::chrono::hours(24 * 60));
  ASSERT_TRUE(PutPolicy({.revision = 2}));
  EXPECT_EQ(ReleaseOf(guest).revocation_cause, "PolicyChanged");
}

TEST_F(Reappraisal, ThatLacksCollateralStillRevokesWhatFailsForAnotherReason) {
  const LabGuest guest =
      LiveAndOwed({.revision = 2, .measurements = {lab::LaunchState::Filled<snp::Measurement>(0x77)}});
  EXPECT_EQ(ReleaseOf(guest).revocation_cause, "PolicyChanged");
}

TEST_F(Reappraisal, ThatIsOwedEndsWithTheLease) {
  const LabGuest guest = LiveAndOwed({.revision = 2});
  clock_.Advance(1h + 1ms);
  ASSERT_TRUE(broker_->Sweep());
  EXPECT_EQ(ReleaseOf(guest).revocation_cause, "LeaseExpired");
}

TEST_F(Reappraisal, ThatIsOwedOutlivesARestart) {
  const LabGuest guest = LiveAndOwed({.revision = 2});
  Restart();
  lists_.Lend(true);
  ASSERT_TRUE(broker_->Sweep());
  EXPECT_EQ(ReleaseOf(guest).policy_digest, PolicyInForce());
}

TEST_F(Reappraisal, OfMoreThanOneTransactionTakesIsFinishedByTheSweep) {
  constexpr int kLive = 120;
  for (int i = 1; i <= kLive; ++i) ASSERT_TRUE(Attest(Admit(i)).allowed());
  ASSERT_TRUE(PutPolicy({.revision = 2, .measurements = {lab::LaunchState::Filled<snp::Measurement>(0x77)}}));
  const auto at_once = CountRows("kind", "revocation");
  EXPECT_GT(at_once, 0);
  EXPECT_LT(at_once, kLive);
  ASSERT_TRUE(broker_->Sweep());
  EXPECT_EQ(CountRows("kind", "revocation"), kLive);
}

TEST_F(Reappraisal, ThatNobodyIsOwedCostsASweepNothing) {
  ASSERT_TRUE(Attest(Admit(1)).allowed());
  ASSERT_TRUE(broker_->Sweep());
  const int before = store_->reads();
  ASSERT_TRUE(broker_->Sweep());
  const int idle = store_->reads() - before;
  lists_.Lend(false);
  ASSERT_TRUE(PutPolicy({.revision = 2}));
  const int owed_from = store_->reads();
  ASSERT_TRUE(broker_->Sweep());
  EXPECT_EQ(store_->reads() - owed_from, idle + 1);
  const int waits_from = store_->reads();
  ASSERT_TRUE(broker_->Sweep());
  EXPECT_EQ(store_->reads() - waits_from, idle) << "nor does one that was just tried in vain";
}

}  // namespace
}  // namespace portcullis::test

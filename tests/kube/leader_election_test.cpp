#include "kube/leader_election.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"
#include "tests/support/fake_kube.h"

namespace portcullis::kube {
namespace {

using namespace std::chrono_literals;

const ObjectKey kLease{"portcullis", "controller"};

class LeaseCandidateTest : public testing::Test {
 protected:
  LeaseOptions Options(std::string identity) { return {.lease = kLease, .identity = std::move(identity)}; }
  codec::Json Spec() { return *kube_.Peek(kLeases, kLease)->Find("spec"); }
  static Error Down() { return {ReasonCode::kUnreachable, "down"}; }

  test::FakeKube kube_;
  test::FakeClock clock_;
  LeaseCandidate one_{kube_, Options("one"), clock_};
  LeaseCandidate two_{kube_, Options("two"), clock_};
};

TEST_F(LeaseCandidateTest, TheFirstOneCreatesTheLeaseAndLeads) {
  EXPECT_FALSE(one_.IsLeader());
  EXPECT_TRUE(one_.TryAcquireOrRenew());
  EXPECT_TRUE(one_.IsLeader());
  EXPECT_FALSE(two_.TryAcquireOrRenew());
  EXPECT_FALSE(two_.IsLeader());
  const codec::Json spec = Spec();
  EXPECT_EQ(spec.TextAt({"holderIdentity"}), "one");
  EXPECT_EQ(spec.TextAt({"renewTime"}), "2026-11-24T21:53:00.000000Z");
  EXPECT_EQ(spec.Find("leaseDurationSeconds")->if_int64(), 15);
  EXPECT_EQ(spec.Find("leaseTransitions")->if_int64(), 0);
}

TEST_F(LeaseCandidateTest, RenewsWithoutReading) {
  one_.TryAcquireOrRenew();
  kube_.ForgetCalls();
  clock_.Advance(2s);
  EXPECT_TRUE(one_.TryAcquireOrRenew());
  EXPECT_EQ(kube_.CountCalls("get", "leases"), 0u);
  EXPECT_EQ(kube_.CountCalls("update", "leases"), 1u);
  EXPECT_EQ(Spec().TextAt({"acquireTime"}), "2026-11-24T21:53:00.000000Z");
  EXPECT_EQ(Spec().TextAt({"renewTime"}), "2026-11-24T21:53:02.000000Z");
}

TEST_F(LeaseCandidateTest, ASecondOneTakesOverOnlyAfterTheDurationWithoutChange) {
  one_.TryAcquireOrRenew();
  EXPECT_FALSE(two_.TryAcquireOrRenew());
  clock_.Advance(14s);
  EXPECT_FALSE(two_.TryAcquireOrRenew());
  clock_.Advance(1s);
  EXPECT_TRUE(two_.TryAcquireOrRenew());
  EXPECT_EQ(Spec().TextAt({"holderIdentity"}), "two");
  EXPECT_EQ(Spec().Find("leaseTransitions")->if_int64(), 1);
  EXPECT_FALSE(one_.IsLeader());
  EXPECT_FALSE(one_.TryAcquireOrRenew());
}

TEST_F(LeaseCandidateTest, ARenewalStartsTheWaitAnew) {
  one_.TryAcquireOrRenew();
  EXPECT_FALSE(two_.TryAcquireOrRenew());
  clock_.Advance(9s);
  one_.TryAcquireOrRenew();
  EXPECT_FALSE(two_.TryAcquireOrRenew());
  clock_.Advance(14s);
  EXPECT_FALSE(two_.TryAcquireOrRenew());
}

// The times in the record are another machine's. Only what our own clock has seen counts.
TEST_F(LeaseCandidateTest, AnOldLookingRecordIsNotTakenBeforeItsTime) {
  one_.TryAcquireOrRenew();
  clock_.SetWallTime(clock_.Now() + 24h);
  EXPECT_FALSE(two_.TryAcquireOrRenew());
  clock_.SetWallTime(clock_.Now() - 48h);
  clock_.Advance(15s);
  EXPECT_TRUE(two_.TryAcquireOrRenew());
}

TEST_F(LeaseCandidateTest, StopsLeadingBeforeOthersMayStart) {
  one_.TryAcquireOrRenew();
  clock_.Advance(9999ms);
  EXPECT_TRUE(one_.IsLeader());
  clock_.Advance(1ms);
  EXPECT_FALSE(one_.IsLeader());
  EXPECT_FALSE(two_.TryAcquireOrRenew());
}

TEST_F(LeaseCandidateTest, OfTwoWhoWriteAtOnceOneWins) {
  kube_.FailNext("get", "leases", Error{ReasonCode::kNotFound, "none"}, 2);
  EXPECT_TRUE(one_.TryAcquireOrRenew());
  EXPECT_FALSE(two_.TryAcquireOrRenew());  // its create finds the other's
  EXPECT_FALSE(two_.IsLeader());
}

TEST_F(LeaseCandidateTest, ALostAnswerIsLookedInto) {
  one_.TryAcquireOrRenew();
  clock_.Advance(2s);
  kube_.LoseAnswer("update", "leases");
  EXPECT_TRUE(one_.TryAcquireOrRenew());
  EXPECT_TRUE(one_.IsLeader());
  kube_.LoseAnswer("create", "leases");
  kube_.Remove(kLeases, kLease);
  EXPECT_FALSE(two_.TryAcquireOrRenew());
  EXPECT_TRUE(two_.TryAcquireOrRenew());
}

TEST_F(LeaseCandidateTest, AnOutageEndsLeadershipByOurOwnClock) {
  one_.TryAcquireOrRenew();
  kube_.FailNext("update", "leases", Down(), 100);
  kube_.FailNext("get", "leases", Down(), 100);
  clock_.Advance(8s);
  EXPECT_FALSE(one_.TryAcquireOrRenew());
  EXPECT_TRUE(one_.IsLeader());
  clock_.Advance(2s);
  EXPECT_FALSE(one_.IsLeader());
}

TEST_F(LeaseCandidateTest, AReleasedLeaseIsTakenAtOnce) {
  one_.TryAcquireOrRenew();
  EXPECT_FALSE(two_.TryAcquireOrRenew());
  one_.Release();
  EXPECT_FALSE(one_.IsLeader());
  EXPECT_EQ(Spec().TextAt({"holderIdentity"}), "");
  EXPECT_EQ(Spec().Find("leaseDurationSeconds")->if_int64(), 1);
  EXPECT_TRUE(two_.TryAcquireOrRenew());
}

TEST_F(LeaseCandidateTest, ReleaseTriesAgainOnConflictAndNeverTouchesAnothersLease) {
  one_.TryAcquireOrRenew();
  codec::Json touched = *kube_.Peek(kLeases, kLease);
  touched.Member("metadata").Set("labels", codec::Json::Object({{"a", "b"}}));
  kube_.Put(kLeases, touched);
  one_.Release();
  EXPECT_EQ(Spec().TextAt({"holderIdentity"}), "");

  two_.TryAcquireOrRenew();
  kube_.ForgetCalls();
  one_.Release();  // not the holder
  EXPECT_TRUE(kube_.calls().empty());
  EXPECT_EQ(Spec().TextAt({"holderIdentity"}), "two");
}

TEST_F(LeaseCandidateTest, ARecordThatSaysAYearDoesNotLockEveryoneOut) {
  one_.TryAcquireOrRenew();
  codec::Json lease = *kube_.Peek(kLeases, kLease);
  lease.Member("spec").Set("holderIdentity", "gone").Set("leaseDurationSeconds", 31'536'000);
  kube_.Put(kLeases, lease);
  EXPECT_FALSE(two_.TryAcquireOrRenew());
  clock_.Advance(1h);
  EXPECT_TRUE(two_.TryAcquireOrRenew());
}

/// The loop around a candidate; its waits move the clock.
class LeaderElectionTest : public testing::Test {
 protected:
  Result<> Run(std::function<void(int)> on_wait) {
    int waits = 0;
    LeaderElection election(
        kube_, {.lease = kLease, .identity = "one"}, clock_, metrics_,
        [&](std::chrono::milliseconds duration, const std::atomic<bool>&) {
          waits_.push_back(duration);
          clock_.Advance(duration);
          on_wait(++waits);
        },
        [] { return 0.5; });
    return election.Run([&] { log_ += "started "; }, [&] { log_ += "stopped "; }, stop_);
  }
  std::string Holder() {
    return std::string(kube_.Peek(kLeases, kLease)->TextAt({"spec", "holderIdentity"}));
  }

  test::FakeKube kube_;
  test::FakeClock clock_;
  metrics::Metrics metrics_{"controller"};
  std::atomic<bool> stop_{false};
  std::vector<std::chrono::milliseconds> waits_;
  std::string log_;
};

TEST_F(LeaderElectionTest, LeadsUntilStoppedThenReleases) {
  std::string holder_when_stopping;
  const auto ended = Run([&](int waits) {
    if (waits == 5) {
      holder_when_stopping = Holder();
      stop_ = true;
    }
  });
  EXPECT_TRUE(ended);
  EXPECT_EQ(log_, "started stopped ");
  EXPECT_EQ(holder_when_stopping, "one");
  EXPECT_EQ(Holder(), "");
  EXPECT_EQ(waits_, std::vector<std::chrono::milliseconds>(5, 2s));
}

TEST_F(LeaderElectionTest, WaitsItsTurnWithJitter) {
  LeaseCandidate other(kube_, {.lease = kLease, .identity = "other"}, clock_);
  other.TryAcquireOrRenew();
  const auto ended = Run([&](int waits) {
    if (waits == 3) stop_ = true;
  });
  EXPECT_TRUE(ended);
  EXPECT_EQ(log_, "");
  EXPECT_EQ(waits_, std::vector<std::chrono::milliseconds>(3, 3200ms));
  EXPECT_EQ(Holder(), "other");
}

TEST_F(LeaderElectionTest, LossIsAnErrorAndNothingIsReleased) {
  const auto ended = Run([&](int waits) {
    if (waits != 2) return;
    kube_.FailNext("update", "leases", Error{ReasonCode::kUnreachable, "down"}, 100);
    kube_.FailNext("get", "leases", Error{ReasonCode::kUnreachable, "down"}, 100);
  });
  ASSERT_FALSE(ended);
  EXPECT_EQ(log_, "started stopped ");
  EXPECT_EQ(Holder(), "one");
  EXPECT_LE(waits_.size(), 7u);  // ten seconds after the last renewal
}

TEST_F(LeaderElectionTest, AShortOutageDoesNotEndLeadership) {
  const auto ended = Run([&](int waits) {
    if (waits == 2) {
      kube_.FailNext("update", "leases", Error{ReasonCode::kUnreachable, "down"}, 3);
      kube_.FailNext("get", "leases", Error{ReasonCode::kUnreachable, "down"}, 3);
    }
    if (waits == 20) stop_ = true;
  });
  EXPECT_TRUE(ended);
  EXPECT_EQ(waits_.size(), 20u);
}

TEST_F(LeaderElectionTest, TellsWhoLeads) {
  (void)Run([&](int waits) {
    EXPECT_NE(metrics_.Exposition().find("leader_election_master_status{name=\"controller\"} 1"),
              std::string::npos);
    if (waits == 2) stop_ = true;
  });
  EXPECT_NE(metrics_.Exposition().find("leader_election_master_status{name=\"controller\"} 0"),
            std::string::npos);
}

}  // namespace
}  // namespace portcullis::kube

// Many at once: one challenge has one answer, and different ones do not disturb each other.

#include <thread>

#include "tests/release/broker_fixture.h"

namespace portcullis::test {
namespace {

using codec::Json;

using Concurrency = BrokerTest;

void AtOnce(int threads, const std::function<void(int)>& work) {
  std::atomic<bool> go{false};
  std::vector<std::thread> crowd;
  for (int i = 0; i < threads; ++i)
    crowd.emplace_back([&, i] {
      while (!go) std::this_thread::yield();
      work(i);
    });
  go = true;
  for (std::thread& one : crowd) one.join();
}

TEST_F(Concurrency, OneChallengeAnsweredByEightHasOneAllow) {
  const LabGuest guest = Admit(1);
  for (int round = 0; round < 20; ++round) {
    const auto challenge = Challenge(guest);
    const Json body = guest.Attestation(challenge.nonce_text);
    std::atomic<int> allowed{0}, reused{0};
    AtOnce(8, [&](int) {
      const Answer answer = Attest(challenge, body);
      if (answer.allowed()) ++allowed;
      if (answer.denied() && answer.reasons() == std::vector{ReasonCode::kChallengeReused}) ++reused;
    });
    EXPECT_EQ(allowed, 1);
    EXPECT_EQ(reused, 7);
  }
  EXPECT_EQ(CountRows("verdict", "allow"), 20);
}

TEST_F(Concurrency, ThirtyTwoPodsAreServedAtOnce) {
  std::vector<LabGuest> guests;
  for (int i = 0; i < 32; ++i) guests.push_back(Admit(i + 1));
  std::atomic<int> opened{0};
  AtOnce(32, [&](int i) {
    const LabGuest& guest = guests[static_cast<std::size_t>(i)];
    const Answer answer = Attest(guest);
    if (answer.allowed() && guest.Open(*answer.reply->release.Find("jwe")) == owner_.key()) ++opened;
  });
  EXPECT_EQ(opened, 32);
  EXPECT_EQ(Notices().size(), 32u);
}

TEST_F(Concurrency, OnePodThatAsksThirtyTwoTimesAtOnceIsServedEachTime) {
  const LabGuest guest = Admit(1);
  std::atomic<int> allowed{0};
  AtOnce(32, [&](int) {
    if (Attest(guest).allowed()) ++allowed;
  });
  EXPECT_EQ(allowed, 32);
}

TEST_F(Concurrency, TheLimitHoldsForGuestsThatComeTogether) {
  ASSERT_TRUE(PutPolicy({.revision = 2, .max_releases = 3}));
  const LabGuest admitted = Admit(1);
  std::vector<LabGuest> guests;
  for (int i = 0; i < 16; ++i) guests.emplace_back(admitted.release_id);
  std::atomic<int> allowed{0}, refused{0};
  AtOnce(16, [&](int i) {
    const Answer answer = Attest(guests[static_cast<std::size_t>(i)]);
    if (answer.allowed()) ++allowed;
    if (answer.denied() && answer.reasons() == std::vector{ReasonCode::kReleaseLimitReached}) ++refused;
  });
  EXPECT_EQ(allowed, 3);
  EXPECT_EQ(refused, 13);
}

TEST_F(Concurrency, ARevocationAmongAttestationsIsTheLastWord) {
  const LabGuest guest = Admit(1);
  std::atomic<int> allowed_after{0};
  std::atomic<bool> revoked{false};
  AtOnce(8, [&](int i) {
    if (i == 0) {
      EXPECT_TRUE(broker_->Revoke("test", guest.release_id, "Requested"));
      revoked = true;
      return;
    }
    for (int round = 0; round < 5; ++round) {
      const bool was_revoked = revoked;
      if (Attest(guest).allowed() && was_revoked) ++allowed_after;
    }
  });
  EXPECT_EQ(allowed_after, 0);
  EXPECT_EQ(ReleaseOf(guest).phase, release::Phase::kRevoked);
  EXPECT_EQ(ReleaseOf(guest).jwe, "");
}

}  // namespace
}  // namespace portcullis::test

// Each step of a release killed, failed and delayed in a real process (reliability.md section 5 and
// faults.md).

#include "tests/kbs/process/broker_process.h"

namespace portcullis::test {
namespace {

using codec::Json;
using ::testing::HasSubstr;

/// The steps in their order; after the transaction's end the allow row is durable.
struct Step {
  const char* name;
  bool committed;
};
constexpr Step kSteps[] = {
    {"challenge.open", false}, {"policy.read", false}, {"evidence.verify", false}, {"nonce.create", false},
    {"expiry.recheck", false}, {"key.unwrap", false},  {"jwe.seal", false},        {"audit.append", false},
    {"audit.fsync", true},     {"reply", true},
};

class EachStep : public BrokerProcess, public ::testing::WithParamInterface<Step> {
 protected:
  std::string FailPoint(const char* action) const { return std::string(GetParam().name) + "=" + action; }
  std::int64_t rows() const { return GetParam().committed ? 1 : 0; }
};

TEST_P(EachStep, KilledLeavesNothingThatNeedsAHuman) {
  Start(FailPoint("kill"));
  const WireAnswer challenge = Challenge(guest_);
  EXPECT_EQ(Attest(guest_, challenge).status, 0) << "the connection broke";
  ASSERT_EQ(ExitCode(), 128 + SIGKILL);
  EXPECT_EQ(CountEntries("verdict", "allow"), rows());
  EXPECT_EQ(CountEntries("verdict", "deny"), 0);

  Start();
  if (GetParam().committed) {
    const WireAnswer replay = Attest(guest_, challenge);
    EXPECT_EQ(replay.status, 401);
    EXPECT_EQ(replay.code(), "ChallengeReused") << "what is committed is burnt";
  }
  // The agent's own way: the same key, a new challenge; and the policy allows one release.
  ExpectServed(guest_);
  process_->Stop();
  EXPECT_EQ(CountEntries("verdict", "allow"), rows() + 1);
}

TEST_P(EachStep, FailedReleasesNothingAndIsTriedAgain) {
  Start(FailPoint("error"));
  const WireAnswer challenge = Challenge(guest_);
  const WireAnswer failed = Attest(guest_, challenge);
  EXPECT_EQ(failed.status, 500);
  EXPECT_EQ(failed.code(), "InternalError");
  EXPECT_EQ(*failed.body.Find("retryable"), Json(true));
  EXPECT_EQ(failed.body.Find("release"), nullptr);
  const WireAnswer again = Attest(guest_, challenge);
  EXPECT_EQ(again.status, GetParam().committed ? 401 : 200) << "what was rolled back is not burnt";
  ExpectServed(guest_);
  process_->Stop();
}

TEST_P(EachStep, DelayedIsServedOnce) {
  Start(FailPoint("delay:150"));
  const WireAnswer challenge = Challenge(guest_);
  const WireAnswer answer = Attest(guest_, challenge);
  EXPECT_EQ(answer.status, 200) << codec::ToText(answer.body);
  EXPECT_EQ(Attest(guest_, challenge).code(), "ChallengeReused");
  process_->Stop();
  EXPECT_EQ(CountEntries("verdict", "allow"), 1);
}

INSTANTIATE_TEST_SUITE_P(Steps, EachStep, ::testing::ValuesIn(kSteps), [](const auto& param) {
  std::string name = param.param.name;
  std::erase(name, '.');
  return name;
});

class Denial : public BrokerProcess, public ::testing::WithParamInterface<Step> {};

TEST_P(Denial, KilledIsEitherRecordedOrNeverAnswered) {
  LabGuest debug = guest_;
  debug.machine.launch.policy |= 1u << 19;
  Start(std::string(GetParam().name) + "=kill");
  EXPECT_EQ(Attest(debug, Challenge(debug)).status, 0);
  ASSERT_EQ(ExitCode(), 128 + SIGKILL);
  EXPECT_EQ(CountEntries("verdict", "deny"), GetParam().committed ? 1 : 0);
  Start();
  const WireAnswer answer = Attest(debug);
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.code(), "DebugEnabled");
  process_->Stop();
  EXPECT_EQ(CountEntries("verdict", "deny"), GetParam().committed ? 2 : 1);
}

INSTANTIATE_TEST_SUITE_P(Steps, Denial,
                         ::testing::Values(Step{"nonce.create", false}, Step{"audit.append", false},
                                           Step{"audit.fsync", true}, Step{"reply", true}),
                         [](const auto& param) {
                           std::string name = param.param.name;
                           std::erase(name, '.');
                           return name;
                         });

class Revocation : public BrokerProcess {
 protected:
  const std::string release_ = "/v1/releases/" + guest_.release_id;
  void ExpectRevokedOnce() {
    const WireAnswer revoked = AskBroker("DELETE", release_);
    EXPECT_EQ(revoked.status, 200) << codec::ToText(revoked.body);
    EXPECT_EQ(revoked.body.TextAt({"phase"}), "Revoked");
    EXPECT_EQ(Attest(guest_).code(), "Revoked");
    process_->Stop();
    EXPECT_EQ(CountEntries("kind", "revocation"), 1);
  }
};

TEST_F(Revocation, KilledIsRepeated) {
  Start("revoke.append=kill");
  ExpectServed(guest_);
  EXPECT_EQ(AskBroker("DELETE", release_).status, 0);
  ASSERT_EQ(ExitCode(), 128 + SIGKILL);
  Start();
  EXPECT_EQ(AskBroker("GET", release_).body.TextAt({"phase"}), "Released");
  ExpectRevokedOnce();
}

TEST_F(Revocation, FailedIsRepeated) {
  Start("revoke.append=error");
  ExpectServed(guest_);
  const WireAnswer failed = AskBroker("DELETE", release_);
  EXPECT_EQ(failed.status, 500);
  EXPECT_EQ(failed.code(), "InternalError");
  ExpectRevokedOnce();
}

TEST_F(Revocation, DelayedIsDone) {
  Start("revoke.append=delay:150");
  ExpectServed(guest_);
  ExpectRevokedOnce();
}

class Storm : public BrokerProcess {};

TEST_F(Storm, KillsUnderLoadLoseNoRow) {
  // Twelve kills while four guests ask without end; the keys that came through are held to the rows at the
  // end.
  std::vector<LabGuest> guests;
  for (int i = 2; i <= 5; ++i) guests.emplace_back(IdOf(i));
  InDatabase([&](release::Broker& broker, const keystore::Identity&, audit::Log&) {
    for (const LabGuest& guest : guests)
      ASSERT_TRUE(broker.PutRelease(
          *release::ParseRegistration(guest.release_id, RegistrationFor(guest.release_id, guest.init_data))));
  });
  constexpr const char* kPlaces[] = {"nonce.create=kill@", "jwe.seal=kill@", "audit.append=kill@",
                                     "reply=kill@"};
  for (int round = 0; round < 12; ++round) {
    Start(std::string(kPlaces[round % 4]) + std::to_string(3 + round));
    std::mutex mutex;
    std::vector<std::thread> crowd;
    for (const LabGuest& guest : guests)
      crowd.emplace_back([&] {
        for (;;) {
          const WireAnswer challenge = Challenge(guest);
          if (challenge.status == 0) return;
          const WireAnswer answer =
              Post("/kbs/v0/attest",
                   codec::ToText(guest.Attestation(std::string(challenge.body.TextAt({"nonce"})))),
                   challenge.cookie);
          if (answer.status == 0) return;
          EXPECT_EQ(answer.status, 200) << codec::ToText(answer.body);
          const std::lock_guard lock(mutex);
          if (answer.status == 200) journal_.push_back(codec::ToText(*answer.body.At({"release", "jwe"})));
        }
      });
    for (std::thread& one : crowd) one.join();
    ASSERT_EQ(ExitCode(), 128 + SIGKILL);
  }
  Start();
  for (const LabGuest& guest : guests) ExpectServed(guest);
  process_->Stop();
}

}  // namespace
}  // namespace portcullis::test

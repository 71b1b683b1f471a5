// Challenges: one answer each, in time, unaltered, to those who asked.

#include "release/challenge.h"

#include "tests/release/broker_fixture.h"

namespace portcullis::test {
namespace {

using codec::Json;
using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;

using Challenges = BrokerTest;

TEST_F(Challenges, AreAllDifferentAndSmall) {
  const LabGuest guest = Admit(1);
  std::set<std::string> nonces, cookies;
  for (int i = 0; i < 100; ++i) {
    const auto challenge = Challenge(guest);
    EXPECT_EQ(codec::DecodeBase64(challenge.nonce_text).value().size(), 32u);
    EXPECT_LT(challenge.cookie.size(), 512u);
    nonces.insert(challenge.nonce_text);
    cookies.insert(challenge.cookie);
  }
  EXPECT_EQ(nonces.size(), 100u);
  EXPECT_EQ(cookies.size(), 100u);
}

TEST_F(Challenges, AreNotStored) {
  const auto rows = AuditRows().size();
  for (int i = 0; i < 10; ++i) Challenge(LabGuest(IdOf(i)));
  EXPECT_EQ(AuditRows().size(), rows);
}

TEST_F(Challenges, AreBurntByAnAllow) {
  const LabGuest guest = Admit(1);
  const auto challenge = Challenge(guest);
  const Json body = guest.Attestation(challenge.nonce_text);
  ASSERT_TRUE(Attest(challenge, body).allowed());
  const Answer replay = Attest(challenge, body);
  EXPECT_THAT(replay.reasons(), ElementsAre(ReasonCode::kChallengeReused));
  ExpectRecordedDenial(guest, ReasonCode::kChallengeReused);
  EXPECT_EQ(ReleaseOf(guest).releases, 1);
}

TEST_F(Challenges, AreBurntByADenial) {
  const LabGuest guest = Admit(1);
  const auto challenge = Challenge(guest);
  LabGuest debug = guest;
  debug.machine.launch.policy |= 1u << 19;
  ASSERT_TRUE(Attest(challenge, debug.Attestation(challenge.nonce_text)).denied());
  EXPECT_THAT(Attest(challenge, guest.Attestation(challenge.nonce_text)).reasons(),
              ElementsAre(ReasonCode::kChallengeReused));
}

TEST_F(Challenges, AreNotBurntByWhatCantBeRead) {
  const LabGuest guest = Admit(1);
  const auto challenge = Challenge(guest);
  const auto rows = AuditRows().size();
  EXPECT_FALSE(broker_->Attest("request", challenge.cookie, "{}"));
  EXPECT_EQ(AuditRows().size(), rows) << "nothing was decided";
  EXPECT_TRUE(Attest(challenge, guest.Attestation(challenge.nonce_text)).allowed());
}

TEST_F(Challenges, EndAfterTheirLifetime) {
  const LabGuest guest = Admit(1);
  const auto in_time = Challenge(guest), late = Challenge(guest);
  clock_.Advance(release::kChallengeLifetime);
  EXPECT_TRUE(Attest(in_time, guest.Attestation(in_time.nonce_text)).allowed());
  clock_.Advance(1ms);
  const Answer answer = Attest(late, guest.Attestation(late.nonce_text));
  ASSERT_FALSE(answer.reply) << "before anything is decided";
  EXPECT_THAT(answer.reasons(), ElementsAre(ReasonCode::kChallengeExpired));
}

TEST_F(Challenges, OfAnEarlierProcessEndByTheWallClock) {
  const LabGuest guest = Admit(1);
  const auto in_time = Challenge(guest), late = Challenge(guest);
  Restart();
  clock_.Advance(release::kChallengeLifetime);
  EXPECT_TRUE(Attest(in_time, guest.Attestation(in_time.nonce_text)).allowed());
  clock_.Advance(1ms);
  EXPECT_THAT(Attest(late, guest.Attestation(late.nonce_text)).reasons(),
              ElementsAre(ReasonCode::kChallengeExpired));
}

TEST_F(Challenges, EndSoonerWhereThePolicySaysSo) {
  ASSERT_TRUE(PutPolicy({.revision = 2, .challenge_seconds = 10}));
  const LabGuest guest = Admit(1);
  const auto in_time = Challenge(guest), late = Challenge(guest);
  clock_.Advance(10s);
  EXPECT_TRUE(Attest(in_time, guest.Attestation(in_time.nonce_text)).allowed());
  clock_.Advance(1ms);
  EXPECT_THAT(Attest(late, guest.Attestation(late.nonce_text)).reasons(),
              ElementsAre(ReasonCode::kChallengeExpired));
  ExpectRecordedDenial(guest, ReasonCode::kChallengeExpired);
}

TEST_F(Challenges, OfAnOlderEpochAreUnknown) {
  const LabGuest guest = Admit(1);
  const auto challenge = Challenge(guest);
  clock_.Advance(20min);
  EXPECT_THAT(Attest(challenge, guest.Attestation(challenge.nonce_text)).reasons(),
              ElementsAre(ReasonCode::kChallengeUnknown));
}

TEST_F(Challenges, OfTheEpochBeforeAreAnswered) {
  const LabGuest guest = Admit(1);
  // 21:53:00; the next epoch begins at 22:00:00.
  clock_.Advance(6min + 59s + 990ms);
  const auto challenge = Challenge(guest);
  clock_.Advance(20ms);
  EXPECT_TRUE(Attest(challenge, guest.Attestation(challenge.nonce_text)).allowed());
}

TEST_F(Challenges, AlteredAnywhereAreUnknown) {
  const LabGuest guest = Admit(1);
  const auto challenge = Challenge(guest);
  const std::string body = codec::ToText(guest.Attestation(challenge.nonce_text));
  const auto sealed = codec::DecodeBase64Url(challenge.cookie).value();
  for (std::size_t i = 0; i < sealed.size(); i += 7) {
    ByteBuffer altered = sealed;
    altered[i] ^= std::byte{1};
    const auto reply = broker_->Attest("request", codec::EncodeBase64Url(altered), body);
    ASSERT_FALSE(reply) << i;
    EXPECT_EQ(reply.error().code, ReasonCode::kChallengeUnknown);
  }
  for (const std::string& cookie : {std::string(), std::string("x"), challenge.cookie + "A",
                                    challenge.cookie.substr(1), std::string(5000, 'A')}) {
    const auto reply = broker_->Attest("request", cookie, body);
    ASSERT_FALSE(reply) << cookie;
    EXPECT_EQ(reply.error().code, ReasonCode::kChallengeUnknown);
  }
  EXPECT_TRUE(Attest(challenge, codec::ParseJson(body).value()).allowed());
}

TEST_F(Challenges, OfAnotherBrokerAreUnknown) {
  const auto other =
      keystore::Kek::FromBytes(SecretBytes::CopyOf(AsBytes("another key of exactly 32 bytes!")));
  const release::ChallengeSealer sealer(other, clock_, random_);
  const LabGuest guest = Admit(1);
  const auto challenge = sealer.New("snp", guest.release_id);
  const auto reply = broker_->Attest("request", sealer.Seal(challenge),
                                     codec::ToText(guest.Attestation(codec::EncodeBase64(challenge.nonce))));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ReasonCode::kChallengeUnknown);
}

TEST_F(Challenges, OfAnotherSessionDoNotFit) {
  const LabGuest guest = Admit(1);
  const auto mine = Challenge(guest), theirs = Challenge(guest);
  const Answer answer = Attest(mine, guest.Attestation(theirs.nonce_text));
  ASSERT_FALSE(answer.reply);
  EXPECT_THAT(answer.reasons(), ElementsAre(ReasonCode::kChallengeUnknown));
  // Neither was burnt.
  EXPECT_TRUE(Attest(mine, guest.Attestation(mine.nonce_text)).allowed());
  EXPECT_TRUE(Attest(theirs, guest.Attestation(theirs.nonce_text)).allowed());
}

TEST_F(Challenges, CantBeTakenForASessionNorTheOtherWayRound) {
  const LabGuest guest = Admit(1);
  const Answer answer = Attest(guest);
  ASSERT_TRUE(answer.allowed());
  const auto as_session = broker_->Resource("", Challenge(guest).cookie, kResource);
  ASSERT_FALSE(as_session);
  EXPECT_EQ(as_session.error().code, ReasonCode::kChallengeUnknown);
  const auto as_challenge = broker_->Attest("request", answer.reply->session_cookie,
                                            codec::ToText(guest.Attestation(Challenge(guest).nonce_text)));
  ASSERT_FALSE(as_challenge);
  EXPECT_EQ(as_challenge.error().code, ReasonCode::kChallengeUnknown);
}

TEST_F(Challenges, AreRememberedForTwiceTheClockSkewAfterTheirEnd) {
  const auto remembered = [this] {
    std::int64_t count = 0;
    EXPECT_TRUE(store_->Read([&](store::Transaction& transaction) -> Result<> {
      count = store::IntegerOf(TRY(transaction.Query("SELECT count(*) FROM used_challenges", {}))[0][0]);
      return Done{};
    }));
    return count;
  };
  ASSERT_TRUE(Attest(Admit(1)).allowed());
  ASSERT_TRUE(broker_->Sweep());
  EXPECT_EQ(remembered(), 1);
  clock_.Advance(release::kChallengeLifetime + 2 * release::kClockSkewBound);
  ASSERT_TRUE(broker_->Sweep());
  EXPECT_EQ(remembered(), 1);
  clock_.Advance(1min + 1s);  // it is looked at once a minute
  ASSERT_TRUE(broker_->Sweep());
  EXPECT_EQ(remembered(), 0);
}

TEST_F(Challenges, AreNotForgottenByAClockThatJumpsAheadAndBack) {
  const LabGuest guest = Admit(1);
  const auto challenge = Challenge(guest);
  const Json body = guest.Attestation(challenge.nonce_text);
  ASSERT_TRUE(Attest(challenge, body).allowed());
  const WallTime now = clock_.Now();
  clock_.SetWallTime(now + std::chrono::hours(24 * 365));
  ASSERT_TRUE(broker_->Sweep());
  clock_.SetWallTime(now);
  EXPECT_THAT(Attest(challenge, body).reasons(), Contains(ReasonCode::kChallengeReused));
}

TEST_F(Challenges, AreNotMadeFreshByAClockThatIsSetBack) {
  const LabGuest guest = Admit(1);
  const auto challenge = Challenge(guest);
  const Json body = guest.Attestation(challenge.nonce_text);
  ASSERT_TRUE(Attest(challenge, body).allowed());
  const WallTime then = clock_.Now();
  clock_.Advance(30min);
  ASSERT_TRUE(broker_->Sweep());
  clock_.SetWallTime(then);
  const Answer answer = Attest(challenge, body);
  EXPECT_THAT(answer.reasons(), ElementsAre(ReasonCode::kChallengeExpired));
}

TEST_F(Challenges, FromTheFutureAreNotBelieved) {
  // Issued at 21:59 and opened before 21:54, in the same epoch.
  const LabGuest guest = Admit(1);
  clock_.Advance(6min);
  const auto challenge = Challenge(guest), other = Challenge(guest);
  Restart();
  clock_.SetWallTime(clock_.Now() - release::kClockSkewBound);
  EXPECT_TRUE(Attest(challenge, guest.Attestation(challenge.nonce_text)).allowed());
  clock_.SetWallTime(clock_.Now() - 1ms);
  EXPECT_THAT(Attest(other, guest.Attestation(other.nonce_text)).reasons(),
              ElementsAre(ReasonCode::kChallengeExpired));
}

}  // namespace
}  // namespace portcullis::test

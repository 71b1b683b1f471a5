// What happens between an appraisal and the transaction that decides: the decision is made on what holds
// then.

#include "tests/release/broker_fixture.h"

namespace portcullis::test {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;

using Between = BrokerTest;

TEST_F(Between, APolicyThatComesIsTheOneThatDecides) {
  const LabGuest guest = Admit(1);
  between_ = [&] {
    EXPECT_TRUE(
        PutPolicy({.revision = 2, .measurements = {lab::LaunchState::Filled<snp::Measurement>(0x77)}}));
  };
  EXPECT_THAT(Attest(guest).reasons(), ElementsAre(ReasonCode::kMeasurementNotAllowed));
  ExpectRecordedDenial(guest, ReasonCode::kMeasurementNotAllowed);
}

// What a registration had in hand serves the first attestation only as long as the store says the same.
using SinceRegistration = BrokerTest;

TEST_F(SinceRegistration, AnotherPolicyDecides) {
  const LabGuest guest = Admit(1);
  ASSERT_TRUE(PutPolicy({.revision = 2, .measurements = {lab::LaunchState::Filled<snp::Measurement>(0x77)}}));
  EXPECT_THAT(Attest(guest).reasons(), ElementsAre(ReasonCode::kMeasurementNotAllowed));
  ExpectRecordedDenial(guest, ReasonCode::kMeasurementNotAllowed);
}

TEST_F(SinceRegistration, ADeletedPolicyLeavesNone) {
  const LabGuest guest = Admit(1);
  ASSERT_TRUE(broker_->DeletePolicy("test", kNamespace, kPolicyName));
  EXPECT_THAT(Attest(guest).reasons(), ElementsAre(ReasonCode::kPolicyMissing));
}

TEST_F(SinceRegistration, ADeletedKeyIsNotSealed) {
  const LabGuest guest = Admit(1);
  ASSERT_TRUE(broker_->DeleteKey("test", kNamespace, kKeyName));
  EXPECT_THAT(Attest(guest).reasons(), Contains(ReasonCode::kKeyUnavailable));
  ExpectRecordedDenial(guest, ReasonCode::kKeyUnavailable);
}

TEST_F(SinceRegistration, AKeyThatWasPutRightIsTheOneThatDecides) {
  const KeyOwner other("another owner's key, of 32 bytes");
  ASSERT_TRUE(broker_->DeleteKey("test", kNamespace, kKeyName));
  ASSERT_TRUE(broker_->PutKey("test", kNamespace, kKeyName, other.KeySpec(identity_->wrapping.public_key())));
  const LabGuest guest = Admit(1);
  ASSERT_TRUE(broker_->DeleteKey("test", kNamespace, kKeyName));
  ASSERT_TRUE(PutKey());
  EXPECT_TRUE(Attest(guest).allowed()) << "what would have been a final denial is history";
}

TEST_F(SinceRegistration, AKeyThatWentIsNoReasonForAFinalDenial) {
  const KeyOwner other("another owner's key, of 32 bytes");
  ASSERT_TRUE(broker_->DeleteKey("test", kNamespace, kKeyName));
  ASSERT_TRUE(broker_->PutKey("test", kNamespace, kKeyName, other.KeySpec(identity_->wrapping.public_key())));
  const LabGuest guest = Admit(1);
  ASSERT_TRUE(broker_->DeleteKey("test", kNamespace, kKeyName));
  EXPECT_THAT(Attest(guest).reasons(), ElementsAre(ReasonCode::kKeyUnavailable));
}

TEST_F(SinceRegistration, ARevocationStands) {
  const LabGuest guest = Admit(1);
  ASSERT_TRUE(broker_->Revoke("test", guest.release_id, "Requested"));
  EXPECT_THAT(Attest(guest).reasons(), ElementsAre(ReasonCode::kRevoked));
}

TEST_F(Between, APolicyThatGoesLeavesNone) {
  const LabGuest guest = Admit(1);
  between_ = [&] { EXPECT_TRUE(broker_->DeletePolicy("test", kNamespace, kPolicyName)); };
  EXPECT_THAT(Attest(guest).reasons(), ElementsAre(ReasonCode::kPolicyMissing));
}

TEST_F(Between, ARevocationStands) {
  const LabGuest guest = Admit(1);
  between_ = [&] { EXPECT_TRUE(broker_->Revoke("test", guest.release_id, "Requested")); };
  EXPECT_THAT(Attest(guest).reasons(), ElementsAre(ReasonCode::kRevoked));
}

TEST_F(Between, AKeyThatGoesIsNotSealed) {
  const LabGuest guest = Admit(1);
  between_ = [&] { EXPECT_TRUE(broker_->DeleteKey("test", kNamespace, kKeyName)); };
  EXPECT_THAT(Attest(guest).reasons(), ElementsAre(ReasonCode::kKeyUnavailable));
  ExpectRecordedDenial(guest, ReasonCode::kKeyUnavailable);
}

TEST_F(Between, AnotherAuthoritysKeyIsNotSealedUnderThisOnesPolicy) {
  const LabGuest guest = Admit(1);
  const KeyOwner other("another owner's key, of 32 bytes");
  between_ = [&] {
    EXPECT_TRUE(broker_->DeleteKey("test", kNamespace, kKeyName));
    EXPECT_TRUE(
        broker_->PutKey("test", kNamespace, kKeyName, other.KeySpec(identity_->wrapping.public_key())));
  };
  EXPECT_THAT(Attest(guest).reasons(), ElementsAre(ReasonCode::kPolicyAuthorityMismatch));
  ExpectRecordedDenial(guest, ReasonCode::kPolicyAuthorityMismatch);
}

TEST_F(Between, ANewVersionOfTheKeyIsTheOneThatIsSealed) {
  const LabGuest guest = Admit(1);
  between_ = [&] { EXPECT_TRUE(PutKey(2)); };
  const Answer answer = Attest(guest);
  ASSERT_TRUE(answer.allowed());
  EXPECT_EQ(*answer.reply->release.Find("version"), codec::Json(2));
  EXPECT_EQ(guest.Open(*answer.reply->release.Find("jwe")), owner_.key() + " in version 2");
}

TEST_F(Between, ARegistrationThatComesIsSeen) {
  const LabGuest guest(IdOf(1));
  between_ = [&] { Register(guest); };
  EXPECT_TRUE(Attest(guest).allowed());
}

TEST_F(Between, TheEndOfTheChallengeIsSeenAfterTheBurn) {
  const LabGuest guest = Admit(1);
  const auto challenge = Challenge(guest);
  const auto body = guest.Attestation(challenge.nonce_text);
  between_ = [&] { clock_.Advance(release::kChallengeLifetime + 1ms); };  // a pause, a slow disk
  EXPECT_THAT(Attest(challenge, body).reasons(), ElementsAre(ReasonCode::kChallengeExpired));
  ExpectRecordedDenial(guest, ReasonCode::kChallengeExpired);
}

TEST_F(Between, ALeaseThatWasRenewedIsNotRevoked) {
  const LabGuest guest = Admit(1);
  ASSERT_TRUE(Attest(guest).allowed());
  clock_.Advance(1h + 1ms);
  between_ = [&] { EXPECT_TRUE(Attest(guest).allowed()); };
  ASSERT_TRUE(broker_->Sweep());
  EXPECT_EQ(ReleaseOf(guest).phase, release::Phase::kReleased);
}

TEST_F(Between, ChangesWithoutEndAreAnsweredWithLater) {
  const LabGuest guest = Admit(1);
  std::int64_t revision = 1;
  std::function<void()> change = [&] {
    EXPECT_TRUE(PutPolicy({.revision = ++revision}));
    between_ = change;
  };
  between_ = change;
  const auto challenge = Challenge(guest);
  const auto body = guest.Attestation(challenge.nonce_text);
  EXPECT_THAT(Attest(challenge, body).reasons(), ElementsAre(ReasonCode::kOverloaded));
  between_ = nullptr;
  EXPECT_TRUE(Attest(challenge, body).allowed()) << "nothing was decided, so nothing was burnt";
}

}  // namespace
}  // namespace portcullis::test

// Accepting policies: signed by the key's authority, never backwards, and what their change does to live
// releases.

#include "tests/release/broker_fixture.h"

namespace portcullis::test {
namespace {

using codec::Json;

using Policies = BrokerTest;

snp::Measurement OtherMeasurement() { return lab::LaunchState::Filled<snp::Measurement>(0x77); }

TEST_F(Policies, AreShownAsTheyWereAccepted) {
  const auto put = PutPolicy({.revision = 2});
  ASSERT_TRUE(put);
  EXPECT_EQ(*put->Find("revision"), Json(2));
  const auto shown = broker_->GetPolicy(kNamespace, kPolicyName);
  ASSERT_TRUE(shown);
  EXPECT_EQ(*shown->Find("policy"), PolicyDocument({.revision = 2}));
  EXPECT_EQ(shown->TextAt({"digest"}), put->TextAt({"digest"}));
  EXPECT_EQ(shown->TextAt({"authority"}), owner_.authority().public_key().Thumbprint());
  EXPECT_EQ(CountRows("kind", "policy"), 2);
}

TEST_F(Policies, MirroredAgainChangeNothing) {
  ASSERT_TRUE(PutPolicy());
  ASSERT_TRUE(PutPolicy());
  EXPECT_EQ(CountRows("kind", "policy"), 1);
}

TEST_F(Policies, SignedByAnotherAreRefused) {
  const auto put = PutPolicy({.revision = 2}, KeyOwner());
  ASSERT_FALSE(put);
  EXPECT_TRUE(put.error().code == ReasonCode::kPolicyAuthorityMismatch ||
              put.error().code == ReasonCode::kPolicySignatureInvalid);
  EXPECT_EQ(*broker_->GetPolicy(kNamespace, kPolicyName)->Find("revision"), Json(1));
}

TEST_F(Policies, ChangedAfterSigningAreRefused) {
  Json body = owner_.Signed(PolicyDocument({.revision = 2}));
  body.Member("policy").Set("maxReleases", 1000);
  const auto put = broker_->PutPolicy("test", kNamespace, kPolicyName, body);
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ReasonCode::kPolicySignatureInvalid);
}

TEST_F(Policies, UnderAnotherNameAreRefused) {
  for (const auto& [space, name] :
       {std::pair<std::string, std::string>{kNamespace, "other"}, {"team-b", kPolicyName}}) {
    const auto put = broker_->PutPolicy("test", space, name, owner_.Signed(PolicyDocument()));
    ASSERT_FALSE(put);
    EXPECT_EQ(put.error().code, ReasonCode::kPolicyIncomplete);
  }
}

TEST_F(Policies, ForAKeyThatIsNotThereAreRefusedForNow) {
  const auto put = PutPolicy({.revision = 2, .keys = "llama-70b, another"});
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ReasonCode::kKeyUnavailable);
  EXPECT_TRUE(ReasonFor(put.error().code).retryable);
}

TEST_F(Policies, ForKeysOfTwoAuthoritiesAreRefused) {
  const KeyOwner other;
  ASSERT_TRUE(broker_->PutKey("test", kNamespace, "another",
                              other.KeySpec(identity_->wrapping.public_key(), 1, "another")));
  const Json document = PolicyDocument({.revision = 2, .keys = "llama-70b, another"});
  const Json body =
      Json::Object({{"policy", document},
                    {"signatures", Json::Array({policy::SignPolicy(document, owner_.authority()),
                                                policy::SignPolicy(document, other.authority())})}});
  const auto put = broker_->PutPolicy("test", kNamespace, kPolicyName, body);
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ReasonCode::kPolicyAuthorityMismatch);
}

TEST_F(Policies, NeverGoBack) {
  ASSERT_TRUE(PutPolicy({.revision = 3}));
  for (const std::int64_t revision : {1, 2}) {
    const auto put = PutPolicy({.revision = revision});
    ASSERT_FALSE(put);
    EXPECT_EQ(put.error().code, ReasonCode::kPolicyRevisionRollback);
  }
  EXPECT_EQ(*broker_->GetPolicy(kNamespace, kPolicyName)->Find("revision"), Json(3));
}

TEST_F(Policies, OfTheSameRevisionAreTheSame) {
  const auto put = PutPolicy({.revision = 1, .max_releases = 11});
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ReasonCode::kPolicyRevisionRollback);
}

TEST_F(Policies, KeepTheirRevisionWhenDeleted) {
  ASSERT_TRUE(PutPolicy({.revision = 3}));
  ASSERT_TRUE(broker_->DeletePolicy("test", kNamespace, kPolicyName));
  EXPECT_EQ(broker_->GetPolicy(kNamespace, kPolicyName).error().code, ReasonCode::kNotFound);
  Restart();
  EXPECT_EQ(PutPolicy({.revision = 2}).error().code, ReasonCode::kPolicyRevisionRollback);
  EXPECT_EQ(PutPolicy({.revision = 3, .max_releases = 11}).error().code, ReasonCode::kPolicyRevisionRollback);
  ASSERT_TRUE(PutPolicy({.revision = 3})) << "what was accepted last may be restored";
  EXPECT_TRUE(Attest(Admit(1)).allowed());
}

TEST_F(Policies, KeepTheirRevisionUnderAnotherAuthoritysReign) {
  // The broker knows revision 1 as the owner's: the same document will be the administrator's too.
  ASSERT_TRUE(Attest(Admit(2)).allowed());
  ASSERT_TRUE(PutPolicy({.revision = 3}));
  // A cluster administrator replaces the key by one of their own, with a policy of their own ...
  const KeyOwner administrator;
  ASSERT_TRUE(broker_->DeleteKey("test", kNamespace, kKeyName));
  ASSERT_TRUE(
      broker_->PutKey("test", kNamespace, kKeyName, administrator.KeySpec(identity_->wrapping.public_key())));
  ASSERT_TRUE(PutPolicy({.revision = 1}, administrator));
  // ... and then brings the owner's key back, to put an older policy of the owner's in force.
  ASSERT_TRUE(broker_->DeleteKey("test", kNamespace, kKeyName));
  ASSERT_TRUE(PutKey());
  const LabGuest guest = Admit(1);
  EXPECT_EQ(Attest(guest).reasons(), std::vector{ReasonCode::kPolicyAuthorityMismatch});
  EXPECT_EQ(PutPolicy({.revision = 2}).error().code, ReasonCode::kPolicyRevisionRollback);
  ASSERT_TRUE(PutPolicy({.revision = 3}));
  EXPECT_TRUE(Attest(guest).allowed());
}

TEST_F(Policies, DontGetAKeyThatIsPutUnderTheNameOfOneThatTheyCover) {
  // The owner's policy for a key of no value allows what the one for llama-70b does not.
  const LabGuest guest = Admit(1);
  const Json llama = owner_.KeySpec(identity_->wrapping.public_key());
  ASSERT_TRUE(
      broker_->PutKey("test", kNamespace, "dev", owner_.KeySpec(identity_->wrapping.public_key(), 1, "dev")));
  ASSERT_TRUE(PutPolicy({.revision = 2, .keys = "dev"}));
  // Whoever may write ModelKeys takes both away and makes one named dev with the spec of llama-70b.
  ASSERT_TRUE(broker_->DeleteKey("test", kNamespace, kKeyName));
  ASSERT_TRUE(broker_->DeleteKey("test", kNamespace, "dev"));
  const auto put = broker_->PutKey("test", kNamespace, "dev", llama);
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ReasonCode::kKeySignatureInvalid);
  EXPECT_EQ(broker_->GetKey(kNamespace, "dev").error().code, ReasonCode::kNotFound);
  EXPECT_FALSE(Attest(guest).allowed());
}

TEST_F(Policies, DontReleaseAVersionThatTheAuthorityDidNotSign) {
  // Anybody with the broker's public key can wrap bytes of their own as the next version.
  const Json stranger =
      KeyOwner("a key that the stranger knows..").KeySpec(identity_->wrapping.public_key(), 2);
  Json spec = owner_.KeySpec(identity_->wrapping.public_key());
  spec.Member("versions").Push(stranger.Find("versions")->if_array()->at(1));
  const auto put = broker_->PutKey("test", kNamespace, kKeyName, spec);
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ReasonCode::kPolicyAuthorityMismatch);
  EXPECT_EQ(*broker_->GetKey(kNamespace, kKeyName)->Find("currentVersion"), Json(1));
}

TEST_F(Policies, RevokeOnChangeOnlyWhatNoLongerPasses) {
  ASSERT_TRUE(PutPolicy(
      {.revision = 2, .measurements = {lab::LaunchState::Milan().measurement, OtherMeasurement()}}));
  const LabGuest stays = Admit(1);
  LabGuest goes = Admit(2);
  goes.machine.launch.measurement = OtherMeasurement();
  const Answer kept = Attest(stays);
  ASSERT_TRUE(kept.allowed());
  ASSERT_TRUE(Attest(goes).allowed());

  ASSERT_TRUE(PutPolicy({.revision = 3, .lease_seconds = 60}));
  EXPECT_EQ(ReleaseOf(goes).phase, release::Phase::kRevoked);
  EXPECT_EQ(ReleaseOf(goes).revocation_cause, "PolicyChanged");
  EXPECT_EQ(ReleaseOf(goes).jwe, "");
  const release::Release live = ReleaseOf(stays);
  EXPECT_EQ(live.phase, release::Phase::kReleased);
  EXPECT_EQ(live.lease_expires, clock_.Now() + std::chrono::minutes(1))
      << "a shorter lease counts from now on";
  EXPECT_EQ(live.policy_digest, broker_->GetPolicy(kNamespace, kPolicyName)->TextAt({"digest"}));
  EXPECT_EQ(CountRows("kind", "revocation"), 1);
  EXPECT_EQ(Notices().back().TextAt({"releaseId"}), goes.release_id);
  EXPECT_EQ(Notices().back().TextAt({"verdict"}), "revoke");
  EXPECT_TRUE(broker_->Resource(kept.reply->token, "", kResource));
}

TEST_F(Policies, WithALongerLeaseProlongNone) {
  const LabGuest guest = Admit(1);
  ASSERT_TRUE(Attest(guest).allowed());
  const WallTime lease = ReleaseOf(guest).lease_expires;
  ASSERT_TRUE(PutPolicy({.revision = 2, .lease_seconds = 7200}));
  EXPECT_EQ(ReleaseOf(guest).lease_expires, lease) << "that needs a new attestation";
  EXPECT_EQ(ReleaseOf(guest).policy_digest, broker_->GetPolicy(kNamespace, kPolicyName)->TextAt({"digest"}));
}

TEST_F(Policies, RevokeWhatWasReleasedMoreOftenThanTheyAllow) {
  const LabGuest guest = Admit(1);
  ASSERT_TRUE(Attest(guest).allowed());
  ASSERT_TRUE(Attest(LabGuest(guest.release_id)).allowed());
  ASSERT_TRUE(PutPolicy({.revision = 2, .max_releases = 1}));
  EXPECT_EQ(ReleaseOf(guest).phase, release::Phase::kRevoked);
}

TEST_F(Policies, ThatForbidSecretsRevokeWhatIsInOne) {
  const LabGuest guest = Admit(1);
  ASSERT_TRUE(Attest(guest).allowed());
  ASSERT_TRUE(PutPolicy({.revision = 2, .delivery = "Direct"}));
  EXPECT_EQ(ReleaseOf(guest).phase, release::Phase::kRevoked);
  const LabGuest direct = Admit(2);
  ASSERT_TRUE(Attest(direct).allowed());
  EXPECT_EQ(ReleaseOf(direct).Decision().TextAt({"delivery"}), "Direct");
  ASSERT_TRUE(PutPolicy({.revision = 3, .delivery = "Secret"}));
  EXPECT_EQ(ReleaseOf(direct).phase, release::Phase::kReleased) << "being allowed more revokes nothing";
}

TEST_F(Policies, RevokeAllWhenDeleted) {
  const LabGuest guest = Admit(1), registered = Admit(2);
  ASSERT_TRUE(Attest(guest).allowed());
  ASSERT_TRUE(broker_->DeletePolicy("test", kNamespace, kPolicyName));
  ASSERT_TRUE(broker_->DeletePolicy("test", kNamespace, kPolicyName)) << "idempotent";
  EXPECT_EQ(ReleaseOf(guest).revocation_cause, "PolicyDeleted");
  EXPECT_EQ(ReleaseOf(registered).phase, release::Phase::kRegistered);
  EXPECT_EQ(CountRows("kind", "revocation"), 1);
}

TEST_F(Policies, ChangedBetweenAppraisalAndCommitAreAppraisedAgain) {
  // The evidence of one thread meets a policy that another one changes: never may an older one decide.
  constexpr std::int64_t kRevisions = 100;
  const LabGuest guest = Admit(1);
  std::atomic<bool> changing{true};
  std::thread changer([&] {
    for (std::int64_t revision = 2; revision <= kRevisions; ++revision)
      EXPECT_TRUE(PutPolicy({.revision = revision}));
    changing = false;
  });
  while (changing)
    if (const Answer answer = Attest(guest); !answer.allowed()) {
      EXPECT_EQ(answer.reasons(), std::vector{ReasonCode::kOverloaded});
    }
  changer.join();
  EXPECT_TRUE(Attest(guest).allowed());

  std::string in_force;
  int allowed = 0;
  for (const audit::Row& row : AuditRows()) {
    const codec::Json entry = EntryOf(row);
    if (entry.TextAt({"kind"}) == "policy") in_force = entry.TextAt({"detail", "digest"});
    if (entry.TextAt({"verdict"}) != "allow") continue;
    ++allowed;
    EXPECT_EQ(entry.TextAt({"detail", "policy"}), in_force) << "row " << row.sequence;
  }
  EXPECT_GT(allowed, 0);
  EXPECT_EQ(in_force, broker_->GetPolicy(kNamespace, kPolicyName)->TextAt({"digest"}));
}

}  // namespace
}  // namespace portcullis::test

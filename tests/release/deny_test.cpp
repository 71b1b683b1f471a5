// Each class of denial, recorded before it is answered.

#include "tests/release/broker_fixture.h"

namespace portcullis::test {
namespace {

using codec::Json;
using ::testing::Contains;
using ::testing::ElementsAre;

template <typename T>
T Flipped(const T& value) {
  auto bytes = value.array();
  bytes[0] ^= std::byte{1};
  return T(bytes);
}

struct Case {
  const char* name;
  ReasonCode reason;
  void (*change)(LabGuest&);
};

const Case kCases[] = {
    {"AnotherMeasurement", ReasonCode::kMeasurementNotAllowed,
     [](LabGuest& g) { g.machine.launch.measurement = Flipped(g.machine.launch.measurement); }},
    {"DebugOn", ReasonCode::kDebugEnabled, [](LabGuest& g) { g.machine.launch.policy |= 1u << 19; }},
    {"OldTcb", ReasonCode::kTcbBelowFloor,
     [](LabGuest& g) {
       g.machine.launch.SetTcb({.fmc = 0, .bootloader = 3, .tee = 0, .snp = 8, .microcode = 0x73});
     }},
    {"AnotherProduct", ReasonCode::kProductNotAllowed,
     [](LabGuest& g) { g.machine.launch = lab::LaunchState::Genoa(); }},
    {"AnotherPrivilegeLevel", ReasonCode::kPrivilegeLevelNotAllowed,
     [](LabGuest& g) { g.machine.launch.vmpl = 1; }},
    {"InitDataChangedAfterAdmission", ReasonCode::kInitDataMismatch,
     [](LabGuest& g) { g.init_data.text += "# changed\n"; }},
};

class DenyByEvidence : public BrokerTest, public ::testing::WithParamInterface<Case> {};

TEST_P(DenyByEvidence, IsRecordedAndReleasesNothing) {
  const LabGuest admitted = Admit(1);
  LabGuest guest = admitted;
  GetParam().change(guest);
  const Answer answer = Attest(guest);
  ASSERT_TRUE(answer.denied());
  EXPECT_THAT(answer.reasons(), Contains(GetParam().reason));
  EXPECT_TRUE(answer.reply->token.empty());
  EXPECT_TRUE(answer.reply->session_cookie.empty());
  EXPECT_TRUE(answer.reply->release.is_null());
  ExpectRecordedDenial(guest, answer.reasons().front());
  EXPECT_TRUE(Attest(admitted).allowed()) << "a denial does not stand in the way of what is right";
}

INSTANTIATE_TEST_SUITE_P(Cases, DenyByEvidence, ::testing::ValuesIn(kCases),
                         [](const auto& param) { return std::string(param.param.name); });

using Deny = BrokerTest;

TEST_F(Deny, EvidenceOverAnotherNonce) {
  const LabGuest guest = Admit(1);
  const auto first = Challenge(guest), second = Challenge(guest);
  Json body = guest.Attestation(second.nonce_text);
  body.Set("tee-evidence", *guest.Attestation(first.nonce_text).Find("tee-evidence"));
  const Answer answer = Attest(second, body);
  EXPECT_THAT(answer.reasons(), Contains(ReasonCode::kReportDataMismatch));
  ExpectRecordedDenial(guest, answer.reasons().front());
}

TEST_F(Deny, RelayedEvidenceWithAnAttackersKey) {
  const LabGuest guest = Admit(1);
  const LabGuest attacker(guest.release_id);
  const auto challenge = Challenge(guest);
  Json body = guest.Attestation(challenge.nonce_text);
  body.Member("runtime-data").Set("tee-pubkey", attacker.TeeKey());
  const Answer answer = Attest(challenge, body);
  EXPECT_THAT(answer.reasons(), Contains(ReasonCode::kReportDataMismatch));
  ExpectRecordedDenial(guest, answer.reasons().front());
}

TEST_F(Deny, AReportWithAFlippedBit) {
  const LabGuest guest = Admit(1);
  const Answer answer = AttestSpoiled(guest, [](Json& body) {
    Json& primary = body.Member("tee-evidence").Member("primary_evidence");
    auto report = codec::DecodeBase64(primary.TextAt({"attestation_report"})).value();
    report[0x2A0] ^= std::byte{1};  // in the signature
    primary.Set("attestation_report", codec::EncodeBase64(report));
  });
  EXPECT_THAT(answer.reasons(), Contains(ReasonCode::kSignatureInvalid));
  ExpectRecordedDenial(guest, answer.reasons().front());
}

TEST_F(Deny, AReportWithoutItsCertificate) {
  const LabGuest guest = Admit(1);
  const Answer answer = AttestSpoiled(
      guest, [](Json& body) { body.Member("tee-evidence").Member("primary_evidence").Erase("auxblob"); });
  EXPECT_THAT(answer.reasons(), Contains(ReasonCode::kEndorsementMissing));
  ExpectRecordedDenial(guest, answer.reasons().front());
}

TEST_F(Deny, NoInitData) {
  const LabGuest guest = Admit(1);
  for (const bool absent : {true, false}) {
    const Answer answer = AttestSpoiled(guest, [&](Json& body) {
      if (absent)
        body.Erase("init-data");
      else
        body.Set("init-data", nullptr);
    });
    EXPECT_THAT(answer.reasons(), Contains(ReasonCode::kInitDataMismatch));
    ExpectRecordedDenial(guest, answer.reasons().front());
  }
}

TEST_F(Deny, InitDataThatNamesAnotherRelease) {
  const LabGuest guest = Admit(1), other = Admit(2);
  // Asked for in the name of one, measured for the other.
  const auto challenge = Challenge(guest);
  const Answer answer = Attest(challenge, other.Attestation(challenge.nonce_text));
  EXPECT_THAT(answer.reasons(), Contains(ReasonCode::kInitDataMismatch));
  ExpectRecordedDenial(guest, answer.reasons().front());
  EXPECT_EQ(ReleaseOf(other).phase, release::Phase::kRegistered);
}

TEST_F(Deny, InitDataThatNamesAnythingElseThoughItWasAdmitted) {
  int number = 0;
  for (const auto& [member, other] : {std::pair<const char*, std::string>{"releaseId", IdOf(99)},
                                      {"namespace", "team-b"},
                                      {"serviceAccount", "another"},
                                      {"policy", "another"},
                                      {"key", "another-key"}}) {
    SCOPED_TRACE(member);
    LabGuest guest(IdOf(++number));
    Json claim = codec::ParseJson(guest.init_data.data.at("portcullis.json")).value();
    ASSERT_NE(claim.TextAt({member}), other);
    claim.Set(member, other);
    guest.init_data = codec::MakeInitData({{"portcullis.json", codec::ToText(claim)}});
    Register(guest);  // a control plane that says one thing and admits another
    EXPECT_THAT(Attest(guest).reasons(), ElementsAre(ReasonCode::kInitDataMismatch));
    ExpectRecordedDenial(guest, ReasonCode::kInitDataMismatch);
  }
}

TEST_F(Deny, AReleaseThatNobodyRegisteredIsRecordedAndRetryable) {
  const LabGuest guest(IdOf(1));
  const Answer answer = Attest(guest);
  ASSERT_TRUE(answer.denied());
  EXPECT_THAT(answer.reasons(), ElementsAre(ReasonCode::kReleaseUnknown));
  const Json entry = EntryOf(AuditRows().back());
  EXPECT_EQ(entry.TextAt({"reason"}), "ReleaseUnknown");
  EXPECT_EQ(entry.TextAt({"detail", "release"}), guest.release_id);
  Register(guest);
  EXPECT_TRUE(Attest(guest).allowed());
}

TEST_F(Deny, WithoutAPolicy) {
  ASSERT_TRUE(broker_->DeletePolicy("test", kNamespace, kPolicyName));
  const LabGuest guest = Admit(1);
  EXPECT_THAT(Attest(guest).reasons(), ElementsAre(ReasonCode::kPolicyMissing));
  ExpectRecordedDenial(guest, ReasonCode::kPolicyMissing);
}

TEST_F(Deny, WithoutAKey) {
  const LabGuest guest = Admit(1);
  ASSERT_TRUE(broker_->DeleteKey("test", kNamespace, kKeyName));
  EXPECT_THAT(Attest(guest).reasons(), ElementsAre(ReasonCode::kKeyUnavailable));
  ExpectRecordedDenial(guest, ReasonCode::kKeyUnavailable);
}

TEST_F(Deny, AKeyOfAnotherAuthorityThanThePolicys) {
  const LabGuest guest = Admit(1);
  ASSERT_TRUE(broker_->DeleteKey("test", kNamespace, kKeyName));
  const KeyOwner other;
  ASSERT_TRUE(broker_->PutKey("test", kNamespace, kKeyName, other.KeySpec(identity_->wrapping.public_key())));
  EXPECT_THAT(Attest(guest).reasons(), ElementsAre(ReasonCode::kPolicyAuthorityMismatch));
  ExpectRecordedDenial(guest, ReasonCode::kPolicyAuthorityMismatch);
}

TEST_F(Deny, ARevokedRelease) {
  const LabGuest guest = Admit(1);
  ASSERT_TRUE(Attest(guest).allowed());
  ASSERT_TRUE(broker_->Revoke("test", guest.release_id, "Requested"));
  EXPECT_THAT(Attest(guest).reasons(), ElementsAre(ReasonCode::kRevoked));
  ExpectRecordedDenial(guest, ReasonCode::kRevoked);
  EXPECT_EQ(ReleaseOf(guest).phase, release::Phase::kRevoked);
}

TEST_F(Deny, DoesNotTakeALiveReleaseAway) {
  const LabGuest guest = Admit(1);
  const Answer answer = Attest(guest);
  ASSERT_TRUE(answer.allowed());
  LabGuest stranger(guest.release_id);
  stranger.machine.launch.policy |= 1u << 19;
  ASSERT_TRUE(Attest(stranger).denied());
  ExpectRecordedDenial(guest, ReasonCode::kDebugEnabled);
  const Json shown = ReleaseOf(guest).ToJson();
  EXPECT_EQ(shown.TextAt({"phase"}), "Released");
  EXPECT_EQ(shown.TextAt({"verdict"}), "allow");
  EXPECT_EQ(*shown.Find("jwe"), *answer.reply->release.Find("jwe"));
  ASSERT_NE(shown.Find("lastDenial"), nullptr);
  const auto again = broker_->Resource(answer.reply->token, "", kResource);
  ASSERT_TRUE(again) << "the guest's token is worth what it was";
  EXPECT_EQ(guest.Open(*again), owner_.key());
}

TEST_F(Deny, ListsEverythingThatIsWrong) {
  LabGuest guest = Admit(1);
  guest.machine.launch.policy |= 1u << 19;
  guest.machine.launch.measurement = Flipped(guest.machine.launch.measurement);
  const auto reasons = Attest(guest).reasons();
  EXPECT_THAT(reasons, Contains(ReasonCode::kDebugEnabled));
  EXPECT_THAT(reasons, Contains(ReasonCode::kMeasurementNotAllowed));
}

TEST_F(Deny, OfALargeRequestIsStoredSmall) {
  const LabGuest guest = Admit(1);
  LabGuest stranger(guest.release_id);
  std::string text = stranger.init_data.text;
  for (int i = 0; text.size() < codec::kMaxInitDataBytes - 32; ++i) text += "e" + std::to_string(i) + "=''\n";
  stranger.init_data.text = text;
  ASSERT_TRUE(Attest(stranger).denied());
  EXPECT_LT(ReleaseOf(guest).decision.size(), 64u * 1024);
}

TEST_F(Deny, HasABudgetThatStrangersCantOverdraw) {
  denial_burst_ = 3;
  Restart();
  const LabGuest guest = Admit(1), stranger(IdOf(2));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Attest(stranger).denied());
  const auto rows = AuditRows().size();
  const auto challenge = Challenge(stranger);
  EXPECT_THAT(Attest(challenge, stranger.Attestation(challenge.nonce_text)).reasons(),
              ElementsAre(ReasonCode::kOverloaded));
  EXPECT_EQ(AuditRows().size(), rows) << "nothing was decided";
  EXPECT_TRUE(Attest(guest).allowed()) << "who is right is served meanwhile";
  clock_.Advance(std::chrono::seconds(1));
  EXPECT_THAT(Attest(challenge, stranger.Attestation(challenge.nonce_text)).reasons(),
              ElementsAre(ReasonCode::kReleaseUnknown))
      << "and so nothing was burnt";
}

TEST_F(Deny, HasABudgetForKeysThatCantBeSealedToo) {
  denial_burst_ = 2;
  Restart();
  const LabGuest guest = Admit(1);
  ASSERT_TRUE(broker_->DeleteKey("test", kNamespace, kKeyName));
  for (int i = 0; i < 2; ++i) EXPECT_THAT(Attest(guest).reasons(), ElementsAre(ReasonCode::kKeyUnavailable));
  const auto rows = AuditRows().size();
  const auto challenge = Challenge(guest);
  EXPECT_THAT(Attest(challenge, guest.Attestation(challenge.nonce_text)).reasons(),
              ElementsAre(ReasonCode::kOverloaded));
  EXPECT_EQ(AuditRows().size(), rows) << "nothing was decided";
  ASSERT_TRUE(PutKey());
  EXPECT_TRUE(Attest(challenge, guest.Attestation(challenge.nonce_text)).allowed())
      << "and so nothing was burnt";
}

TEST_F(Deny, HasABudgetThatFillsUpToItsSize) {
  release::DenialBudget budget(clock_);
  const auto burst = static_cast<int>(release::DenialBudget::kBurst);
  for (int i = 0; i < burst; ++i) ASSERT_TRUE(budget.TakeOne());
  EXPECT_FALSE(budget.TakeOne());
  clock_.Advance(std::chrono::seconds(1));
  for (int i = 0; i < static_cast<int>(release::DenialBudget::kRefillASecond); ++i)
    ASSERT_TRUE(budget.TakeOne());
  EXPECT_FALSE(budget.TakeOne());
  clock_.Advance(std::chrono::hours(24));
  for (int i = 0; i < burst; ++i) ASSERT_TRUE(budget.TakeOne());
  EXPECT_FALSE(budget.TakeOne()) << "it fills up to its size and no further";
}

}  // namespace
}  // namespace portcullis::test

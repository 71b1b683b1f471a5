// A release to a guest of each TEE, and what is refused of each.

#include "tests/release/broker_fixture.h"

namespace portcullis::test {
namespace {

using codec::Json;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kTees[] = {policy::kSnp, policy::kTdx, policy::kAzSnp, policy::kAzTdx};

std::string NameOfTee(std::string_view tee) {
  std::string name;
  for (const char c : tee)
    if (c != '-') name += c;
  return name;
}

class Tee : public BrokerTest, public ::testing::WithParamInterface<std::string_view> {};
INSTANTIATE_TEST_SUITE_P(All, Tee, ::testing::ValuesIn(kTees),
                         [](const auto& param) { return NameOfTee(param.param); });

TEST_P(Tee, IsReleasedToAndRecordedByName) {
  const LabGuest guest = AdmitIn(GetParam(), 1);
  const Answer answer = Attest(guest);
  ASSERT_TRUE(answer.allowed()) << codec::ToPrettyText(ReleaseOf(guest).Decision());
  EXPECT_EQ(guest.Open(*answer.reply->release.Find("jwe")), owner_.key());
  EXPECT_EQ(EntryOf(AuditRows().back()).TextAt({"detail", "tee"}), GetParam());
  EXPECT_EQ(ReleaseOf(guest).ToJson().TextAt({"tee"}), GetParam());
  EXPECT_THAT(metrics_.Exposition(), HasSubstr("tee=\"" + std::string(GetParam()) + "\",verdict=\"allow\""));
  EXPECT_THAT(metrics_.Exposition(),
              HasSubstr("portcullis_attestation_duration_seconds_count{phase=\"verify\",tee=\"" +
                        std::string(GetParam()) + "\"} 1"));
}

TEST_P(Tee, KeepsItsReleaseUnderAPolicyThatStillAllowsIt) {
  const LabGuest guest = AdmitIn(GetParam(), 1);
  ASSERT_TRUE(Attest(guest).allowed());
  ASSERT_TRUE(PutPolicy({.revision = 2, .lease_seconds = 1800}));
  EXPECT_EQ(ReleaseOf(guest).phase, release::Phase::kReleased);
}

TEST_P(Tee, LosesItsReleaseWithItsRules) {
  const LabGuest guest = AdmitIn(GetParam(), 1);
  ASSERT_TRUE(Attest(guest).allowed());
  Json document = PolicyDocument({.revision = 2});
  document.Find("tees")->Erase(GetParam());
  ASSERT_TRUE(broker_->PutPolicy("put-policy", kNamespace, kPolicyName, owner_.Signed(document)));
  EXPECT_EQ(ReleaseOf(guest).revocation_cause, "PolicyChanged");
  EXPECT_THAT(Attest(guest).reasons(), Contains(ReasonCode::kTeeMismatch));
}

TEST_P(Tee, IsHeldToItsInitData) {
  LabGuest guest = AdmitIn(GetParam(), 1);
  guest.init_data.text += "# changed\n";
  const Answer answer = Attest(guest);
  ASSERT_TRUE(answer.denied());
  EXPECT_THAT(answer.reasons(), Contains(ReasonCode::kInitDataMismatch));
  ExpectRecordedDenial(guest, answer.reasons().front());
}

TEST_P(Tee, IsHeldToItsChallengeAndKey) {
  const LabGuest guest = AdmitIn(GetParam(), 1);
  const auto challenge = Challenge(guest);
  Json body = guest.Attestation(codec::EncodeBase64(ByteBuffer(32, std::byte{9})));
  body.Member("runtime-data").Set("nonce", challenge.nonce_text);
  EXPECT_THAT(Attest(challenge, body).reasons(), ElementsAre(ReasonCode::kReportDataMismatch));

  const auto another = Challenge(guest);
  const LabGuest thief(guest.release_id);
  body = guest.Attestation(another.nonce_text);
  body.Member("runtime-data").Set("tee-pubkey", thief.TeeKey());
  EXPECT_THAT(Attest(another, body).reasons(), ElementsAre(ReasonCode::kReportDataMismatch));
}

TEST_P(Tee, IsTheOneOfTheChallenge) {
  const LabGuest announced = AdmitIn(GetParam(), 1);
  for (const std::string_view sent : kTees) {
    if (sent == GetParam()) continue;
    SCOPED_TRACE(sent);
    LabGuest guest = announced;
    guest.machine = LabMachine::Of(sent);
    const auto challenge = Challenge(announced);
    const auto rows = AuditRows().size();
    const Answer answer = Attest(challenge, guest.Attestation(challenge.nonce_text));
    ASSERT_FALSE(answer.reply);
    EXPECT_EQ(answer.reply.error().code, ReasonCode::kTeeMismatch) << answer.reply.error().ToString();
    EXPECT_EQ(AuditRows().size(), rows);
  }
}

TEST_P(Tee, IsAppraisedWithoutConsequence) {
  const LabGuest guest = AdmitIn(GetParam(), 1);
  const auto data = release::ExpectedReportData("nonce", guest.TeeKey(), "");
  const bool azure = GetParam() == policy::kAzSnp || GetParam() == policy::kAzTdx;
  Json body =
      Json::Object({{"policy", PolicyDocument()},
                    {"tee", GetParam()},
                    {"evidence", *guest.Attestation("nonce").At({"tee-evidence", "primary_evidence"})},
                    {"initData", guest.init_data.text},
                    {"reportData", codec::EncodeHex(azure ? data.bytes().first(48) : data.bytes())},
                    {"namespace", kNamespace},
                    {"serviceAccount", kServiceAccount},
                    {"key", kKeyName}});
  const auto allowed = broker_->DryRun(body);
  ASSERT_TRUE(allowed) << allowed.error().ToString();
  EXPECT_EQ(allowed->TextAt({"verdict"}), "allow") << codec::ToPrettyText(*allowed);
  body.Set("reportData", codec::EncodeHex(data.bytes().first(47)));
  EXPECT_EQ(broker_->DryRun(body)->TextAt({"verdict"}), "deny");
  EXPECT_EQ(ReleaseOf(guest).phase, release::Phase::kRegistered);
}

/// What one TEE is refused for.
struct Case {
  const char* name;
  std::string_view tee;
  ReasonCode reason;
  void (*change)(LabMachine&);
};

const Case kCases[] = {
    {"TdOfAnotherBuild", policy::kTdx, ReasonCode::kMeasurementNotAllowed,
     [](LabMachine& m) { m.td.mr_td = lab::TdState::Filled<tdx::Measurement>(1); }},
    {"TdOfAnotherKernel", policy::kTdx, ReasonCode::kMeasurementNotAllowed,
     [](LabMachine& m) { m.td.SetEvents({}); }},
    {"TdWithDebug", policy::kTdx, ReasonCode::kDebugEnabled, [](LabMachine& m) { m.td.td_attributes |= 1; }},
    {"TdOfAnOldPlatform", policy::kTdx, ReasonCode::kTcbStatusNotAllowed,
     [](LabMachine& m) { m.td = lab::TdState::Outdated(); }},
    {"TdOfAnUnknownPlatform", policy::kTdx, ReasonCode::kCollateralStale,
     [](LabMachine& m) {
       m.td.fmspc = lab::TdState::Starting<tdx::Fmspc>({1, 2, 3, 4, 5, 6});
     }},
    {"SnpUnderVtpmOfAnotherMeasurement", policy::kAzSnp, ReasonCode::kMeasurementNotAllowed,
     [](LabMachine& m) { m.launch.measurement = lab::LaunchState::Filled<snp::Measurement>(1); }},
    {"VtpmWithAnotherPcr", policy::kAzSnp, ReasonCode::kMeasurementNotAllowed,
     [](LabMachine& m) { m.vtpm.pcrs[4] = lab::TdState::Filled<crypto::Sha256Digest>(1); }},
    {"VtpmWithoutSecureBoot", policy::kAzTdx, ReasonCode::kPlatformNotAllowed,
     [](LabMachine& m) { m.vtpm.secure_boot = false; }},
    {"TdUnderVtpmOfAnOldPlatform", policy::kAzTdx, ReasonCode::kTcbStatusNotAllowed,
     [](LabMachine& m) {
       m.td = lab::TdState::Outdated();
       m.td.SetEvents({});
     }},
};

class DenyByTee : public BrokerTest, public ::testing::WithParamInterface<Case> {};
INSTANTIATE_TEST_SUITE_P(Cases, DenyByTee, ::testing::ValuesIn(kCases),
                         [](const auto& param) { return std::string(param.param.name); });

TEST_P(DenyByTee, IsRecordedAndReleasesNothing) {
  const LabGuest healthy = AdmitIn(GetParam().tee, 1);
  LabGuest guest = healthy;
  GetParam().change(guest.machine);
  const Answer answer = Attest(guest);
  ASSERT_TRUE(answer.denied());
  EXPECT_THAT(answer.reasons(), Contains(GetParam().reason));
  ExpectRecordedDenial(guest, answer.reasons().front());
  EXPECT_TRUE(Attest(healthy).allowed()) << "a denial does not stand in the way of what is right";
}

using TeeNames = BrokerTest;

TEST_F(TeeNames, AreAlsoThoseOfOldClients) {
  LabGuest guest = AdmitIn(policy::kAzSnp, 1);
  guest.machine.tee = "azsnpvtpm";
  const auto challenge = Challenge(guest);
  guest.machine.tee = policy::kAzSnp;
  EXPECT_TRUE(Attest(challenge, guest.Attestation(challenge.nonce_text)).allowed());
  EXPECT_EQ(ReleaseOf(guest).ToJson().TextAt({"tee"}), policy::kAzSnp);
}

}  // namespace
}  // namespace portcullis::test

// What a guest gets that passes every check.

#include "release/token.h"
#include "tests/release/broker_fixture.h"

namespace portcullis::test {
namespace {

using codec::Json;

class Allow : public BrokerTest, public ::testing::WithParamInterface<crypto::Curve> {};

TEST_P(Allow, SealsTheModelKeyToTheKeyInTheTee) {
  const LabGuest guest = Admit(1, GetParam());
  const Answer answer = Attest(guest);
  ASSERT_TRUE(answer.allowed()) << NameOf(answer.reasons().front());
  const Json& release = answer.reply->release;
  EXPECT_EQ(guest.Open(*release.Find("jwe")), owner_.key());
  EXPECT_EQ(LabGuest(guest.release_id, GetParam()).Open(*release.Find("jwe")), "") << "another key opens it";
  EXPECT_EQ(release.TextAt({"id"}), guest.release_id);
  EXPECT_EQ(release.TextAt({"resource"}), kResource);
  EXPECT_EQ(*release.Find("version"), Json(1));
  EXPECT_EQ(release.TextAt({"leaseExpires"}), FormatTimestamp(clock_.Now() + std::chrono::hours(1)));
}

TEST_P(Allow, NamesReleaseResourceAndVersionInTheProtectedHeader) {
  ASSERT_TRUE(PutKey(3));
  const LabGuest guest = Admit(1, GetParam());
  const Answer answer = Attest(guest);
  ASSERT_TRUE(answer.allowed());
  const Json header = crypto::Jwe::FromJson(*answer.reply->release.Find("jwe")).value().Header().value();
  EXPECT_EQ(header.TextAt({"release"}), guest.release_id);
  EXPECT_EQ(header.TextAt({"resource"}), kResource);
  EXPECT_EQ(*header.Find("version"), Json(3));
  EXPECT_EQ(header.TextAt({"alg"}), "ECDH-ES+A256KW");
  EXPECT_EQ(header.TextAt({"enc"}), "A256GCM");
}

INSTANTIATE_TEST_SUITE_P(Curves, Allow, ::testing::Values(crypto::Curve::kP256, crypto::Curve::kP521),
                         [](const auto& param) {
                           return param.param == crypto::Curve::kP256 ? "P256" : "P521";
                         });

using AllowOnce = BrokerTest;

TEST_F(AllowOnce, IsRecordedWithTheDigestOfWhatLeft) {
  const LabGuest guest = Admit(1);
  const Answer answer = Attest(guest);
  ASSERT_TRUE(answer.allowed());
  const Json entry = EntryOf(AuditRows().back());
  EXPECT_EQ(entry.TextAt({"verdict"}), "allow");
  EXPECT_EQ(entry.TextAt({"reason"}), "");
  EXPECT_EQ(entry.TextAt({"subject"}), "team-a/pod-" + guest.release_id);
  EXPECT_EQ(entry.TextAt({"resource"}), kResource);
  EXPECT_EQ(entry.TextAt({"detail", "teeKey"}), guest.key->public_key().Thumbprint());
  EXPECT_EQ(entry.TextAt({"detail", "jwe"}),
            crypto::DigestText(crypto::Sha256(AsBytes(codec::ToText(*answer.reply->release.Find("jwe"))))));
  EXPECT_EQ(*entry.At({"detail", "keyVersion"}), Json(1));
}

TEST_F(AllowOnce, ShowsInTheReleaseAndAsANotice) {
  const LabGuest guest = Admit(1);
  const Answer answer = Attest(guest);
  ASSERT_TRUE(answer.allowed());
  const Json shown = ReleaseOf(guest).ToJson();
  EXPECT_EQ(shown.TextAt({"phase"}), "Released");
  EXPECT_EQ(shown.TextAt({"verdict"}), "allow");
  EXPECT_EQ(shown.TextAt({"delivery"}), "Secret");
  EXPECT_EQ(shown.TextAt({"tee"}), "snp");
  EXPECT_EQ(*shown.Find("releases"), Json(1));
  EXPECT_EQ(*shown.Find("jwe"), *answer.reply->release.Find("jwe"));
  EXPECT_FALSE(shown.Find("notProven")->if_array()->empty());
  for (const Json& check : *shown.Find("checks")->if_array()) EXPECT_EQ(check.TextAt({"outcome"}), "passed");
  ASSERT_EQ(Notices().size(), 1u);
  EXPECT_EQ(Notices().front().TextAt({"releaseId"}), guest.release_id);
  EXPECT_EQ(Notices().front().TextAt({"cluster"}), "lab");
}

TEST_F(AllowOnce, ServesAClientThatNamesItsReleaseInInitDataOnly) {
  const LabGuest guest = Admit(1);
  const auto challenge = broker_->Authenticate(R"({"version":"0.4.0","tee":"snp","extra-params":""})");
  ASSERT_TRUE(challenge);
  EXPECT_TRUE(Attest(*challenge, guest.Attestation(challenge->nonce_text)).allowed());
}

TEST_F(AllowOnce, TakesTheKeysMembersInAnyOrder) {
  const LabGuest guest = Admit(1);
  const auto challenge = Challenge(guest);
  const Json own = guest.TeeKey();
  const Json turned = Json::Object({{"y", *own.Find("y")},
                                    {"alg", *own.Find("alg")},
                                    {"x", *own.Find("x")},
                                    {"crv", *own.Find("crv")},
                                    {"kty", *own.Find("kty")}});
  EXPECT_TRUE(Attest(challenge, guest.Attestation(challenge.nonce_text, turned)).allowed());
}

TEST_F(AllowOnce, TakesCertificatesAsAListToo) {
  const LabGuest guest = Admit(1);
  const Answer answer = AttestSpoiled(guest, [](Json& body) {
    Json& primary = body.Member("tee-evidence").Member("primary_evidence");
    const auto table =
        snp::ParseCertificateTable(codec::DecodeBase64(primary.TextAt({"auxblob"})).value()).value();
    primary.Erase("auxblob");
    for (const auto& certificate : table)
      primary.Member("certificates").Push(codec::EncodeBase64(certificate.der()));
  });
  EXPECT_TRUE(answer.allowed());
}

TEST_F(AllowOnce, CountsEachNewKeyAgainstTheLimitButNotALostAnswer) {
  ASSERT_TRUE(PutPolicy({.revision = 2, .max_releases = 2}));
  const LabGuest guest = Admit(1);
  ASSERT_TRUE(Attest(guest).allowed());
  ASSERT_TRUE(Attest(guest).allowed());  // the same key: the answer may have been lost
  EXPECT_EQ(ReleaseOf(guest).releases, 1);
  LabGuest restarted(guest.release_id);
  ASSERT_TRUE(Attest(restarted).allowed());
  EXPECT_EQ(ReleaseOf(guest).releases, 2);
  const Answer third = Attest(LabGuest(guest.release_id));
  ASSERT_TRUE(third.denied());
  EXPECT_EQ(third.reasons(), std::vector{ReasonCode::kReleaseLimitReached});
  ExpectRecordedDenial(guest, ReasonCode::kReleaseLimitReached);
  // An earlier guest's key is as new as any other.
  EXPECT_TRUE(Attest(guest).denied());
  EXPECT_TRUE(Attest(restarted).allowed());
}

TEST_F(AllowOnce, SurvivesARestartBetweenChallengeAndAttestation) {
  const LabGuest guest = Admit(1);
  const auto challenge = Challenge(guest);
  Restart();
  EXPECT_TRUE(Attest(challenge, guest.Attestation(challenge.nonce_text)).allowed());
  Restart();
  EXPECT_TRUE(Attest(challenge, guest.Attestation(challenge.nonce_text)).denied())
      << "burnt before the restart";
}

}  // namespace
}  // namespace portcullis::test

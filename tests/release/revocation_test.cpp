// Taking back: on request, with the key, with time; and what a control plane can't do.

#include "tests/release/broker_fixture.h"

namespace portcullis::test {
namespace {

using codec::Json;
using namespace std::chrono_literals;

using Revocation = BrokerTest;

TEST_F(Revocation, TakesTheSealedKeyBackAndIsRecorded) {
  const LabGuest guest = Admit(1);
  const Answer answer = Attest(guest);
  ASSERT_TRUE(answer.allowed());
  const auto revoked = broker_->Revoke("the request", guest.release_id, "PodDeleted");
  ASSERT_TRUE(revoked);
  EXPECT_EQ(revoked->phase, release::Phase::kRevoked);
  const Json entry = EntryOf(AuditRows().back());
  EXPECT_EQ(entry.TextAt({"kind"}), "revocation");
  EXPECT_EQ(entry.TextAt({"requestId"}), "the request");
  EXPECT_EQ(entry.TextAt({"detail", "cause"}), "PodDeleted");
  EXPECT_EQ(*entry.At({"detail", "wasReleased"}), Json(true));
  const Json shown = ReleaseOf(guest).ToJson();
  EXPECT_EQ(shown.TextAt({"phase"}), "Revoked");
  EXPECT_EQ(shown.TextAt({"revocationCause"}), "PodDeleted");
  EXPECT_EQ(shown.Find("jwe"), nullptr);
  EXPECT_EQ(broker_->Resource(answer.reply->token, "", kResource).error().code, ReasonCode::kRevoked);
  EXPECT_EQ(broker_->Resource("", answer.reply->session_cookie, kResource).error().code,
            ReasonCode::kRevoked);
}

TEST_F(Revocation, IsIdempotent) {
  const LabGuest guest = Admit(1);
  ASSERT_TRUE(broker_->Revoke("test", guest.release_id, "PodDeleted"));
  ASSERT_TRUE(broker_->Revoke("test", guest.release_id, "Requested"));
  EXPECT_EQ(CountRows("kind", "revocation"), 1);
  EXPECT_EQ(ReleaseOf(guest).revocation_cause, "PodDeleted");
  EXPECT_EQ(broker_->Revoke("test", IdOf(99), "PodDeleted").error().code, ReasonCode::kNotFound);
}

TEST_F(Revocation, ComesWithTheKeysDeletion) {
  const LabGuest guest = Admit(1), registered = Admit(2);
  ASSERT_TRUE(Attest(guest).allowed());
  ASSERT_TRUE(broker_->DeleteKey("test", kNamespace, kKeyName));
  ASSERT_TRUE(broker_->DeleteKey("test", kNamespace, kKeyName)) << "idempotent";
  EXPECT_EQ(ReleaseOf(guest).revocation_cause, "KeyRevoked");
  EXPECT_EQ(ReleaseOf(registered).phase, release::Phase::kRegistered);
  EXPECT_EQ(CountRows("kind", "revocation"), 1);
  EXPECT_EQ(broker_->GetKey(kNamespace, kKeyName).error().code, ReasonCode::kNotFound);
}

TEST_F(Revocation, ComesWithTheEndOfTheLease) {
  const LabGuest guest = Admit(1);
  const Answer answer = Attest(guest);
  ASSERT_TRUE(answer.allowed());
  clock_.Advance(1h);
  ASSERT_TRUE(broker_->Sweep());
  EXPECT_EQ(ReleaseOf(guest).phase, release::Phase::kReleased);
  clock_.Advance(1ms);
  ASSERT_TRUE(broker_->Sweep());
  EXPECT_EQ(ReleaseOf(guest).revocation_cause, "LeaseExpired");
  EXPECT_EQ(CountRows("kind", "revocation"), 1);
  EXPECT_EQ(Notices().back().TextAt({"verdict"}), "revoke");
}

TEST_F(Revocation, TakesAllLeasesThatRanOutInOneSweep) {
  ASSERT_TRUE(PutPolicy({.revision = 2, .lease_seconds = 60}));
  for (int i = 1; i <= 205; ++i) ASSERT_TRUE(Attest(Admit(i)).allowed());  // more than one transaction takes
  clock_.Advance(61s);
  ASSERT_TRUE(broker_->Sweep());
  EXPECT_EQ(CountRows("kind", "revocation"), 205);
}

TEST_F(Revocation, SparesALeaseThatWasRenewed) {
  const LabGuest guest = Admit(1);
  ASSERT_TRUE(Attest(guest).allowed());
  clock_.Advance(59min);
  ASSERT_TRUE(Attest(guest).allowed());
  clock_.Advance(30min);
  ASSERT_TRUE(broker_->Sweep());
  EXPECT_EQ(ReleaseOf(guest).phase, release::Phase::kReleased);
}

using Registrations = BrokerTest;

TEST_F(Registrations, AreIdempotentAndDontChange) {
  const LabGuest guest = Admit(1);
  const Json body = RegistrationFor(guest.release_id, guest.init_data);
  const auto again = broker_->PutRelease(release::ParseRegistration(guest.release_id, body).value());
  ASSERT_TRUE(again);
  EXPECT_FALSE(*again);
  for (const char* member : {"cluster", "namespace", "pod", "podUid", "serviceAccount", "policy", "key"}) {
    Json other = body;
    other.Set(member, "other");
    const auto put = broker_->PutRelease(release::ParseRegistration(guest.release_id, other).value());
    ASSERT_FALSE(put) << member;
    EXPECT_EQ(put.error().code, ReasonCode::kConflict);
  }
  Json other = body;
  other.Set("initDataDigest", "sha256:" + std::string(64, '0'));
  EXPECT_FALSE(broker_->PutRelease(release::ParseRegistration(guest.release_id, other).value()));
}

TEST_F(Registrations, AreRefusedUnlessWellFormed) {
  const LabGuest guest(IdOf(1));
  const Json body = RegistrationFor(guest.release_id, guest.init_data);
  for (const std::string& id : {std::string(), std::string("1"), std::string(31, '0'), std::string(33, '0'),
                                std::string(32, 'A'), std::string(32, 'g')})
    EXPECT_FALSE(release::ParseRegistration(id, body)) << id;
  for (const auto& [name, value] : *body.if_object()) {
    Json without = body;
    without.Erase(name);
    EXPECT_FALSE(release::ParseRegistration(guest.release_id, without)) << name;
  }
  Json more = body;
  more.Set("more", 1);
  EXPECT_FALSE(release::ParseRegistration(guest.release_id, more));
  for (const std::string& digest :
       {std::string("sha256:"), std::string(64, '0'), "sha384:" + std::string(64, '0')}) {
    Json bad = body;
    bad.Set("initDataDigest", digest);
    EXPECT_FALSE(release::ParseRegistration(guest.release_id, bad)) << digest;
  }
}

TEST_F(Registrations, AreListedInPages) {
  for (int i = 1; i <= 5; ++i) Admit(i);
  std::vector<std::string> seen;
  std::string after;
  int pages = 0;
  do {
    const auto page = broker_->ListReleases({after, 2});
    ASSERT_TRUE(page);
    for (const Json& release : *page->Find("releases")->if_array()) seen.emplace_back(release.TextAt({"id"}));
    after = page->TextAt({"next"});
    ++pages;
  } while (!after.empty());
  EXPECT_EQ(seen, (std::vector{IdOf(1), IdOf(2), IdOf(3), IdOf(4), IdOf(5)}));
  EXPECT_EQ(pages, 3);
  EXPECT_TRUE(broker_->ListReleases({"", 0})) << "nothing of nothing, and no end of the process";
}

using ModelKeys = BrokerTest;

TEST_F(ModelKeys, AreShownWithoutThemselves) {
  const auto shown = broker_->GetKey(kNamespace, kKeyName);
  ASSERT_TRUE(shown);
  EXPECT_EQ(codec::ToText(*shown),
            codec::ToText(Json::Object({{"namespace", kNamespace},
                                        {"name", kKeyName},
                                        {"resource", kResource},
                                        {"authority", owner_.authority().public_key().Thumbprint()},
                                        {"currentVersion", 1}})));
}

TEST_F(ModelKeys, MirroredAgainChangeNothing) {
  ASSERT_TRUE(PutKey());
  EXPECT_EQ(CountRows("kind", "key"), 1);
  ASSERT_TRUE(PutKey(2));
  EXPECT_EQ(CountRows("kind", "key"), 2);
}

TEST_F(ModelKeys, DontGoBackAVersionByBeingDeleted) {
  ASSERT_TRUE(PutKey(3));
  ASSERT_TRUE(broker_->DeleteKey("test", kNamespace, kKeyName));
  const auto older = PutKey(2);
  ASSERT_FALSE(older);
  EXPECT_EQ(older.error().code, ReasonCode::kConflict);
  EXPECT_EQ(broker_->GetKey(kNamespace, kKeyName).error().code, ReasonCode::kNotFound)
      << "nothing of it was kept";
  EXPECT_TRUE(PutKey(3));
}

using DecisionFeed = BrokerTest;

TEST_F(DecisionFeed, AreResumedWhereTheReaderWas) {
  for (int i = 1; i <= 3; ++i) ASSERT_TRUE(Attest(Admit(i)).allowed());
  const auto first = broker_->Decisions(0, 0s, 2);
  ASSERT_TRUE(first);
  ASSERT_EQ(first->Find("decisions")->if_array()->size(), 2u);
  const auto rest = broker_->Decisions(*first->Find("next")->if_int64(), 0s, 2);
  ASSERT_EQ(rest->Find("decisions")->if_array()->size(), 1u);
  EXPECT_EQ(rest->Find("decisions")->if_array()->front().TextAt({"releaseId"}), IdOf(3));
  const auto none = broker_->Decisions(*rest->Find("next")->if_int64(), 0s, 2);
  EXPECT_TRUE(none->Find("decisions")->if_array()->empty());
  EXPECT_EQ(*none->Find("next"), *rest->Find("next"));
}

TEST_F(DecisionFeed, WakesWhoWaits) {
  const LabGuest guest = Admit(1);
  const auto challenge = Challenge(guest);
  const Json body = guest.Attestation(challenge.nonce_text);
  const auto before = store_->reads();
  std::size_t count = 0;
  std::thread reader([&] {
    const auto decisions = broker_->Decisions(0, std::chrono::hours(1), 10);
    count = decisions->Find("decisions")->if_array()->size();
  });
  // It has looked and found nothing: without being woken it would wait for an hour.
  while (store_->reads() == before) std::this_thread::yield();
  ASSERT_TRUE(Attest(challenge, body).allowed());
  reader.join();
  EXPECT_EQ(count, 1u);
}

TEST_F(DecisionFeed, LetGoOfWhoWaitsAtTheEnd) {
  std::thread reader([&] { EXPECT_TRUE(broker_->Decisions(0, 30s, 10)); });
  broker_->Interrupt();
  reader.join();
}

}  // namespace
}  // namespace portcullis::test

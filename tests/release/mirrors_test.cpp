// One broker, several clusters: what one of them withdraws stays for the others.

#include "tests/release/broker_fixture.h"

namespace portcullis::test {
namespace {

using codec::Json;
using release::MirrorKind;
using namespace std::chrono_literals;
using ::testing::ElementsAre;

/// The fixture's key and policy, mirrored by the clusters "east" and "west" in the place of nobody's.
class Mirrors : public BrokerTest {
 protected:
  Mirrors() {
    for (const char* cluster : {"east", "west"}) {
      EXPECT_TRUE(Key(cluster));
      EXPECT_TRUE(Policy(cluster));
    }
    EXPECT_TRUE(broker_->DeletePolicy("test", kNamespace, kPolicyName));
    EXPECT_TRUE(broker_->DeleteKey("test", kNamespace, kKeyName));
  }
  Result<Json> Key(const std::string& cluster, std::int64_t versions = 1) {
    return broker_->PutKey("test", kNamespace, kKeyName,
                           owner_.KeySpec(identity_->wrapping.public_key(), versions), cluster);
  }
  Result<Json> Policy(const std::string& cluster, const PolicyWish& wish = {}) {
    return broker_->PutPolicy("test", kNamespace, wish.name, owner_.Signed(PolicyDocument(wish)), cluster);
  }
  /// A guest of a cluster.
  LabGuest Registered(const std::string& cluster, int number) {
    const LabGuest guest(IdOf(number));
    Json body = RegistrationFor(guest.release_id, guest.init_data);
    body.Set("cluster", cluster);
    EXPECT_TRUE(broker_->PutRelease(release::ParseRegistration(guest.release_id, body).value()));
    return guest;
  }
  /// One that holds a key.
  LabGuest Live(const std::string& cluster, int number) {
    const LabGuest guest = Registered(cluster, number);
    EXPECT_TRUE(Attest(guest).allowed());
    return guest;
  }
  /// "cluster action" of each row of a kind.
  std::vector<std::string> Actions(std::string_view kind) const {
    std::vector<std::string> out;
    for (const audit::Row& row : AuditRows())
      if (const Json entry = EntryOf(row); entry.TextAt({"kind"}) == kind)
        out.push_back(std::string(entry.TextAt({"detail", "cluster"})) + " " +
                      std::string(entry.TextAt({"detail", "action"})));
    return out;
  }
  /// Names of a page, and what comes next.
  std::vector<std::string> Listed(MirrorKind kind, std::optional<std::string> cluster,
                                  const release::ObjectName& after = {}, std::int64_t limit = 100) {
    const auto page = broker_->ListMirrored(kind, cluster, after, limit);
    if (!page) return {page.error().ToString()};
    std::vector<std::string> out;
    for (const Json& item : *page->Find(kind == MirrorKind::kKey ? "keys" : "policies")->if_array())
      out.push_back(std::string(item.TextAt({"namespace"})) + "/" + std::string(item.TextAt({"name"})));
    out.push_back("next " + std::string(page->TextAt({"next"})));
    return out;
  }
};

TEST_F(Mirrors, OfAPolicyTakeBackTheirOwnReleasesUntilTheLastDeletesIt) {
  const LabGuest east = Live("east", 1), west = Live("west", 2);
  ASSERT_TRUE(broker_->DeletePolicy("test", kNamespace, kPolicyName, "east"));
  EXPECT_EQ(ReleaseOf(east).revocation_cause, "PolicyDeleted");
  EXPECT_EQ(ReleaseOf(west).phase, release::Phase::kReleased);
  EXPECT_TRUE(broker_->GetPolicy(kNamespace, kPolicyName));
  EXPECT_TRUE(Attest(west).allowed());
  Restart();
  ASSERT_TRUE(broker_->DeletePolicy("test", kNamespace, kPolicyName, "west"));
  EXPECT_EQ(ReleaseOf(west).revocation_cause, "PolicyDeleted");
  EXPECT_EQ(broker_->GetPolicy(kNamespace, kPolicyName).error().code, ReasonCode::kNotFound);
  EXPECT_THAT(Actions("policy"), ElementsAre(" accepted", "east accepted", "west accepted", " withdrawn",
                                             "east withdrawn", "west deleted"));
}

TEST_F(Mirrors, OfAKeyTakeBackTheirOwnReleasesUntilTheLastDeletesIt) {
  const LabGuest east = Live("east", 1), west = Live("west", 2);
  ASSERT_TRUE(broker_->DeleteKey("test", kNamespace, kKeyName, "east"));
  EXPECT_EQ(ReleaseOf(east).revocation_cause, "KeyRevoked");
  EXPECT_EQ(ReleaseOf(west).phase, release::Phase::kReleased);
  EXPECT_TRUE(Attest(west).allowed());
  ASSERT_TRUE(broker_->DeleteKey("test", kNamespace, kKeyName, "west"));
  EXPECT_EQ(ReleaseOf(west).revocation_cause, "KeyRevoked");
  EXPECT_EQ(broker_->GetKey(kNamespace, kKeyName).error().code, ReasonCode::kNotFound);
  EXPECT_THAT(Actions("key"), ElementsAre(" accepted", "east accepted", "west accepted", " withdrawn",
                                          "east withdrawn", "west deleted"));
}

TEST_F(Mirrors, ThatAClusterHasWithdrawnReleaseNothingToItsPods) {
  const LabGuest policy_gone = Registered("east", 1), key_gone = Registered("west", 2);
  ASSERT_TRUE(broker_->DeletePolicy("test", kNamespace, kPolicyName, "east"));
  ASSERT_TRUE(broker_->DeleteKey("test", kNamespace, kKeyName, "west"));
  for (const LabGuest* guest : {&policy_gone, &key_gone})
    EXPECT_EQ(Attest(*guest).reasons(), std::vector{ReasonCode::kKeyUnavailable});
  EXPECT_EQ(Attest(Registered("north", 3)).reasons(), std::vector{ReasonCode::kKeyUnavailable})
      << "which mirrors nothing";
  ASSERT_TRUE(Policy("east"));
  EXPECT_TRUE(Attest(policy_gone).allowed());
}

TEST_F(Mirrors, AreWithdrawnOnceAndByThemselvesOnly) {
  const auto rows = AuditRows().size();
  for (const char* stranger : {"", "north", "East"}) {
    ASSERT_TRUE(broker_->DeletePolicy("test", kNamespace, kPolicyName, stranger));
    ASSERT_TRUE(broker_->DeleteKey("test", kNamespace, kKeyName, stranger));
  }
  EXPECT_EQ(AuditRows().size(), rows);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(broker_->DeletePolicy("test", kNamespace, kPolicyName, "east"));
    ASSERT_TRUE(broker_->DeleteKey("test", kNamespace, kKeyName, "east"));
  }
  EXPECT_EQ(AuditRows().size(), rows + 2);
  EXPECT_TRUE(broker_->GetPolicy(kNamespace, kPolicyName));
  EXPECT_TRUE(broker_->GetKey(kNamespace, kKeyName));
}

TEST_F(Mirrors, AreRecordedOnce) {
  const auto rows = AuditRows().size();
  ASSERT_TRUE(Key("east"));
  ASSERT_TRUE(Policy("west"));
  EXPECT_EQ(AuditRows().size(), rows);
  ASSERT_TRUE(Key("north"));
  ASSERT_TRUE(Policy("north"));
  EXPECT_EQ(AuditRows().size(), rows + 2);
  EXPECT_EQ(Actions("policy").back(), "north accepted");
}

TEST_F(Mirrors, AreNotMadeByWhatIsRefused) {
  ASSERT_TRUE(Key("east", 2));
  ASSERT_TRUE(Policy("east", {.revision = 2}));
  EXPECT_EQ(Policy("north", {.revision = 1}).error().code, ReasonCode::kPolicyRevisionRollback);
  EXPECT_EQ(Key("north", 1).error().code, ReasonCode::kConflict);
  EXPECT_THAT(Listed(MirrorKind::kPolicy, "north"), ElementsAre("next "));
  EXPECT_THAT(Listed(MirrorKind::kKey, "north"), ElementsAre("next "));
}

TEST_F(Mirrors, AreListedInPages) {
  for (const char* name : {"a", "b"}) ASSERT_TRUE(Policy("east", {.name = name}));
  EXPECT_THAT(Listed(MirrorKind::kPolicy, "east"),
              ElementsAre("team-a/a", "team-a/b", "team-a/llama", "next "));
  EXPECT_THAT(Listed(MirrorKind::kPolicy, "east", {}, 2),
              ElementsAre("team-a/a", "team-a/b", "next team-a/b"));
  EXPECT_THAT(Listed(MirrorKind::kPolicy, "east", {"team-a", "b"}, 2), ElementsAre("team-a/llama", "next "));
  EXPECT_THAT(Listed(MirrorKind::kPolicy, "east", {"team-b", ""}), ElementsAre("next "));
  EXPECT_THAT(Listed(MirrorKind::kPolicy, "west"), ElementsAre("team-a/llama", "next "));
  EXPECT_THAT(Listed(MirrorKind::kPolicy, std::nullopt),
              ElementsAre("team-a/a", "team-a/b", "team-a/llama", "next "))
      << "each once";
  EXPECT_THAT(Listed(MirrorKind::kKey, "west"), ElementsAre("team-a/llama-70b", "next "));
  EXPECT_THAT(Listed(MirrorKind::kKey, ""), ElementsAre("next ")) << "the mirror of no cluster is one too";
}

using ReleasesOfClusters = Mirrors;

TEST_F(ReleasesOfClusters, AreListedByThemselves) {
  for (int i = 1; i <= 6; ++i) Live(i % 2 == 0 ? "east" : "west", i);
  ASSERT_TRUE(broker_->Revoke("test", IdOf(2), "Requested"));
  const auto ids = [&](const release::ReleasePage& page, release::Broker::View view) {
    const auto listed = broker_->ListReleases(page, view);
    std::vector<std::string> out;
    for (const Json& release : *listed->Find("releases")->if_array())
      out.emplace_back(release.TextAt({"id"}));
    out.push_back("next " + std::string(listed->TextAt({"next"})));
    return out;
  };
  for (const auto view : {release::Broker::View::kFull, release::Broker::View::kSummary}) {
    EXPECT_THAT(ids({"", 10, "east", true}, view), ElementsAre(IdOf(2), IdOf(4), IdOf(6), "next "));
    EXPECT_THAT(ids({"", 10, "east", false}, view), ElementsAre(IdOf(4), IdOf(6), "next "));
    EXPECT_THAT(ids({"", 2, std::nullopt, false}, view), ElementsAre(IdOf(1), IdOf(3), "next " + IdOf(3)));
    EXPECT_THAT(ids({"", 1, "east", false}, view), ElementsAre(IdOf(4), "next " + IdOf(4)))
        << "a page counts what matches";
    EXPECT_THAT(ids({IdOf(4), 2, "east", false}, view), ElementsAre(IdOf(6), "next "));
    EXPECT_THAT(ids({"", 10, "", true}, view), ElementsAre("next "));
  }
}

TEST_F(ReleasesOfClusters, AreRevokedAsWhatTheyAreTakenFor) {
  const LabGuest guest = Live("east", 1);
  using Expected = release::Broker::Expected;
  for (const Expected& other :
       {Expected{.cluster = "west", .namespace_name = kNamespace, .pod_uid = "uid-" + guest.release_id},
        Expected{.cluster = "", .namespace_name = {}, .pod_uid = {}},
        Expected{.cluster = {}, .namespace_name = "team-b", .pod_uid = {}},
        Expected{.cluster = {}, .namespace_name = {}, .pod_uid = "another"}}) {
    const auto revoked = broker_->Revoke("test", guest.release_id, "PodDeleted", other);
    ASSERT_FALSE(revoked);
    EXPECT_EQ(revoked.error().code, ReasonCode::kConflict);
  }
  EXPECT_EQ(ReleaseOf(guest).phase, release::Phase::kReleased);
  EXPECT_EQ(CountRows("kind", "revocation"), 0);
  EXPECT_TRUE(broker_->Revoke(
      "test", guest.release_id, "PodDeleted",
      {.cluster = "east", .namespace_name = kNamespace, .pod_uid = "uid-" + guest.release_id}));
  EXPECT_EQ(ReleaseOf(guest).phase, release::Phase::kRevoked);
}

TEST_F(ReleasesOfClusters, HaveAFeedThatAReaderFromALaterTimeFindsBackTo) {
  // A database that was restored is behind who follows it.
  Live("east", 1);
  const auto feed = broker_->Decisions(0, 0s, 10);
  const std::int64_t newest = *feed->Find("next")->if_int64();
  const auto ahead = broker_->Decisions(newest + 1000, 30s, 10);  // and does not wait
  ASSERT_TRUE(ahead);
  EXPECT_TRUE(ahead->Find("decisions")->if_array()->empty());
  EXPECT_EQ(*ahead->Find("next"), Json(newest));
  EXPECT_EQ(*broker_->Decisions(newest, 0s, 10)->Find("next"), Json(newest));
  Live("east", 2);
  EXPECT_EQ(broker_->Decisions(newest, 0s, 10)->Find("decisions")->if_array()->size(), 1u);
}

}  // namespace
}  // namespace portcullis::test

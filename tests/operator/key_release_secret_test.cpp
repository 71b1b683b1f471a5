// The pod's Secret: written, replaced and taken away, and what may stand in the way.

#include "tests/operator/key_release_fixture.h"

namespace portcullis::control {
namespace {

using codec::Json;
using test::kReleaseId;

TEST_F(KeyReleaseTest, WritesTheSealedKeyIntoAnImmutableSecretThatThePodOwns) {
  MustReconcile();
  broker.Release(kJwe, 7);
  MustReconcile();
  const auto secret = Secret();
  ASSERT_TRUE(secret);
  EXPECT_EQ(SealedKey(), codec::ToText(kJwe));
  EXPECT_EQ(secret->TextAt({"type"}), kube::kSealedKeySecretType);
  EXPECT_EQ(*secret->Find("immutable"), Json(true));
  EXPECT_EQ(kube::LabelOf(*secret, kube::kReleaseIdLabel), kReleaseId);
  EXPECT_EQ(*secret->At({"metadata", "ownerReferences"}),
            Json::Array({kube::OwnerReferenceTo(kube::kPods, *api.Peek(kube::kPods, pod_key))}));
  EXPECT_EQ(Status().TextAt({"phase"}), "Released");
  EXPECT_EQ(Status().TextAt({"secretName"}), secret_key.name);
  EXPECT_EQ(Status().TextAt({"lease", "expiresAt"}), "2026-11-25T21:53:01Z");
  EXPECT_EQ(ReasonOf("Ready"), "True Released");
}

TEST_F(KeyReleaseTest, ReplacesTheSecretWhenTheGuestAttestedAgain) {
  MustReconcile();
  broker.Release(kJwe, 7);
  MustReconcile();
  const std::string uid(kube::UidOf(*Secret()));
  broker.Release(kOtherJwe, 9);
  MustReconcile();
  EXPECT_EQ(SealedKey(), codec::ToText(kOtherJwe));
  EXPECT_NE(kube::UidOf(*Secret()), uid);
  EXPECT_EQ(events.size(), 2u);
}

TEST_F(KeyReleaseTest, NeverTouchesASecretThatIsNotItsOwn) {
  MustReconcile();
  Json foreign = kube::NewObject(kube::kSecrets, secret_key);
  foreign.Set("type", "Opaque").Set("data", Json::Object({{"key.jwe", "AAAA"}}));
  const Json stored = api.Put(kube::kSecrets, foreign);
  broker.Release(kJwe, 7);
  const auto next = Reconcile();
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code, ReasonCode::kConflict);
  EXPECT_EQ(*Secret(), stored);
  EXPECT_EQ(ReasonOf("Ready"), "False Conflict") << "the status says that the key is not there, and why";
  EXPECT_EQ(events.back().reason, "Conflict");
  broker.Revoke("Administrator");
  MustReconcile();
  EXPECT_EQ(*Secret(), stored);
}

TEST_F(KeyReleaseTest, CountsOnTypeAndLabelToKnowItsSecret) {
  MustReconcile();
  Json foreign = kube::NewObject(kube::kSecrets, secret_key);
  foreign.Set("type", kube::kSealedKeySecretType);
  foreign.Member("metadata")
      .Set("labels", Json::Object({{std::string(kube::kReleaseIdLabel), std::string(32, 'f')}}));
  const Json stored = api.Put(kube::kSecrets, foreign);
  broker.Release(kJwe, 7);
  EXPECT_FALSE(Reconcile());
  EXPECT_EQ(*Secret(), stored);
}

TEST_F(KeyReleaseTest, WritesTheSecretThatCouldNotBeWrittenBefore) {
  MustReconcile();
  broker.Release(kJwe, 7);
  api.FailNext("create", "secrets", {ReasonCode::kUnreachable, "down"});
  EXPECT_FALSE(Reconcile());
  EXPECT_EQ(ReasonOf("Ready"), "False SecretPending");
  MustReconcile();
  EXPECT_EQ(ReasonOf("Ready"), "True Released");
  EXPECT_EQ(events.size(), 1u);
}

TEST_F(KeyReleaseTest, TakesALostAnswerForWhatItIs) {
  MustReconcile();
  broker.Release(kJwe, 7);
  api.LoseAnswer("create", "secrets");
  EXPECT_FALSE(Reconcile());
  MustReconcile();
  EXPECT_EQ(SealedKey(), codec::ToText(kJwe));
  EXPECT_EQ(api.CountCalls("create", "secrets"), 1u);
}

TEST_F(KeyReleaseTest, WritesNoSecretWhereTheAgentAloneDelivers) {
  MustReconcile();
  broker.Release(kJwe, 7, "Direct");
  MustReconcile();
  EXPECT_FALSE(Secret());
  EXPECT_EQ(ReasonOf("Ready"), "True Released");
  EXPECT_EQ(Status().TextAt({"secretName"}), "");
}

TEST_F(KeyReleaseTest, NeverAsksForASecretWhereTheAgentAloneDelivers) {
  ForbidSecrets();
  MustReconcile();
  broker.Release(kJwe, 7, "Direct");
  MustReconcile();
  FinishPod("Succeeded");
  MustReconcile();
  EXPECT_EQ(ReasonOf("Ready"), "False Revoked");
  EXPECT_EQ(api.CountCalls("get", "secrets"), 0u);
}

TEST_F(KeyReleaseTest, IsDoneWithAGoneObjectWhereItMayNotTouchSecrets) {
  ForbidSecrets();
  MustReconcile();
  broker.Release(kJwe, 7, "Direct");
  MustReconcile();
  api.Remove(kube::kKeyReleases, key);
  MustReconcile();
  EXPECT_EQ(PhaseAtBroker(), "Revoked");
}

TEST_F(KeyReleaseTest, SaysWhichRightIsMissingForTheSecretAndTellsItOnce) {
  ForbidSecrets();
  MustReconcile();
  broker.Release(kJwe, 7);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(Reconcile()) << "the right may come";
  EXPECT_EQ(ReasonOf("Ready"), "False Forbidden");
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].reason, "Released");
  EXPECT_EQ(events[1].reason, "Forbidden");
  EXPECT_EQ(events[1].type, kube::EventType::kWarning);
  EXPECT_NE(events[1].note.find("releaseNamespaces"), std::string::npos);
  EXPECT_EQ(api.CountCalls("patch", "keyreleases"), 2u);
  api.StopFailing();
  MustReconcile();
  EXPECT_EQ(ReasonOf("Ready"), "True Released");
}

TEST_F(KeyReleaseTest, IsDoneWithARevocationWhereNoSecretCouldBeWritten) {
  ForbidSecrets();
  MustReconcile();
  broker.Release(kJwe, 7);
  EXPECT_FALSE(Reconcile());
  FinishPod("Succeeded");
  MustReconcile();
  EXPECT_EQ(ReasonOf("Ready"), "False Revoked");
}

TEST_F(KeyReleaseTest, NamesTheSecretUntilItIsTakenAway) {
  MustReconcile();
  broker.Release(kJwe, 7);
  MustReconcile();
  broker.Revoke("KeyRevoked");
  api.FailNext("delete", "secrets", {ReasonCode::kForbidden, "the right was taken away"});
  EXPECT_FALSE(Reconcile());
  EXPECT_EQ(Status().TextAt({"phase"}), "Revoked");
  EXPECT_EQ(Status().TextAt({"secretName"}), secret_key.name);
  MustReconcile();
  EXPECT_FALSE(Secret());
  EXPECT_EQ(Status().TextAt({"secretName"}), "");
}

TEST_F(KeyReleaseTest, TakesASecretAwayThatItsStatusDoesNotNameYet) {
  MustReconcile();
  broker.Release(kJwe, 7);
  api.FailNext("patch", "keyreleases", {ReasonCode::kUnreachable, "down"});
  EXPECT_FALSE(Reconcile());
  ASSERT_TRUE(Secret());
  broker.Revoke("KeyRevoked");
  MustReconcile();
  EXPECT_FALSE(Secret());
}

}  // namespace
}  // namespace portcullis::control

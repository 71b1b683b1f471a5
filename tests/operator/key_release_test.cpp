#include "tests/operator/key_release_fixture.h"

namespace portcullis::control {
namespace {

using codec::Json;
using test::kReleaseId;

TEST_F(KeyReleaseTest, RegistersTheReleaseAndSaysThatItWaits) {
  MustReconcile();
  EXPECT_EQ(broker.last_body, Json::Object({{"cluster", "production"},
                                            {"namespace", "demo"},
                                            {"pod", "llama-0"},
                                            {"podUid", pod_uid},
                                            {"serviceAccount", "llama"},
                                            {"policy", "llama-policy"},
                                            {"key", "llama"},
                                            {"initDataDigest", "sha256:00"}}));
  EXPECT_EQ(Status().TextAt({"phase"}), "Registered");
  EXPECT_EQ(ReasonOf("Registered"), "True Registered");
  EXPECT_EQ(ReasonOf("Ready"), "False Waiting");
  EXPECT_FALSE(Secret());
  EXPECT_TRUE(events.empty());
}

TEST_F(KeyReleaseTest, ChangesNothingTheSecondTime) {
  MustReconcile();
  broker.Release(kJwe, 7);
  MustReconcile();
  const auto version = api.resource_version();
  const auto told = events.size();
  clock.Advance(std::chrono::hours(1));
  MustReconcile();
  EXPECT_EQ(api.resource_version(), version);
  EXPECT_EQ(events.size(), told);
  EXPECT_EQ(broker.Count("PUT release"), 1u);
  EXPECT_EQ(api.CountCalls("patch", "keyreleases"), 2u);
}
TEST_F(KeyReleaseTest, NeverPutsTheJweIntoStatusOrEvents) {
  MustReconcile();
  broker.Release(kJwe, 7);
  MustReconcile();
  EXPECT_EQ(codec::ToText(*api.Peek(kube::kKeyReleases, key)).find("ciphertext"), std::string::npos);
  EXPECT_EQ(events.front().note.find("ciphertext"), std::string::npos);
}

TEST_F(KeyReleaseTest, TellsOfTheReleaseOnceAndAfterTheStatusIsWritten) {
  MustReconcile();
  broker.Release(kJwe, 7);
  api.FailNext("patch", "keyreleases", {ReasonCode::kUnreachable, "down"});
  EXPECT_FALSE(Reconcile());
  EXPECT_TRUE(events.empty()) << "an Event for a lost patch would lie";
  MustReconcile();
  MustReconcile();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].reason, "Released");
  EXPECT_EQ(events[0].type, kube::EventType::kNormal);
  EXPECT_EQ(events[0].object, pod_key);
  EXPECT_EQ(events[0].uid, pod_uid);
  EXPECT_EQ(patches_before_event[0], 3u);
}
TEST_F(KeyReleaseTest, ExplainsADenialAndWritesNoSecret) {
  MustReconcile();
  broker.Deny(7);
  MustReconcile();
  EXPECT_FALSE(Secret());
  EXPECT_EQ(ReasonOf("Attested"), "False MeasurementNotAllowed");
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].reason, "Denied");
  EXPECT_EQ(events[0].type, kube::EventType::kWarning);
  EXPECT_NE(events[0].note.find("snp.measurement-allowed: expected aa, actual bb"), std::string::npos)
      << events[0].note;
  broker.Deny(8);
  MustReconcile();
  EXPECT_EQ(events.size(), 2u) << "another denial is news";
}

TEST_F(KeyReleaseTest, KeepsALiveReleaseBesideADenial) {
  MustReconcile();
  broker.Release(kJwe, 7);
  MustReconcile();
  broker.DenyBeside(9);
  MustReconcile();
  MustReconcile();
  EXPECT_TRUE(Secret());
  EXPECT_EQ(ReasonOf("Ready"), "True Released");
  EXPECT_EQ(*Status().At({"lastDenial", "auditSequence"}), Json(9));
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[1].reason, "Denied");
}

TEST_F(KeyReleaseTest, ForgetsInTheStatusWhatANewerDenialDoesNotSay) {
  MustReconcile();
  broker.Release(kJwe, 7);
  broker.DenyBeside(9);
  MustReconcile();
  Json& denial = *broker.releases.at(std::string(kReleaseId)).Find("lastDenial");
  denial.Set("auditSequence", 10).Erase("reasons");
  MustReconcile();
  EXPECT_EQ(Status().At({"lastDenial", "reasons"}), nullptr);
  const auto version = api.resource_version();
  MustReconcile();
  EXPECT_EQ(api.resource_version(), version);
}
TEST_F(KeyReleaseTest, KeepsADenialsReasonWhenThePodEnds) {
  MustReconcile();
  broker.Deny(7);
  MustReconcile();
  FinishPod("Failed");
  MustReconcile();
  EXPECT_EQ(PhaseAtBroker(), "Revoked");
  EXPECT_EQ(Status().TextAt({"phase"}), "Denied");
  EXPECT_EQ(ReasonOf("Ready"), "False MeasurementNotAllowed");
  EXPECT_EQ(events.size(), 1u) << "no key was held, so none was taken back";
}

TEST_F(KeyReleaseTest, LooksAgainAtLiveReleasesAndNeverAtRevokedOnes) {
  MustReconcile();
  broker.Release(kJwe, 7);
  EXPECT_TRUE(Reconcile()->after);
  broker.Revoke("KeyRevoked");
  EXPECT_FALSE(Reconcile()->after);
  const auto revocations = broker.Count("DELETE release PodFinished");
  FinishPod("Succeeded");
  EXPECT_FALSE(Reconcile()->after);
  EXPECT_EQ(broker.Count("DELETE release PodFinished"), revocations) << "it is revoked already";
}

TEST_F(KeyReleaseTest, SaysThatTheBrokerCanNotBeReachedAndTriesAgain) {
  broker.failure = Error{ReasonCode::kUnreachable, "down"};
  EXPECT_FALSE(Reconcile());
  EXPECT_EQ(ReasonOf("Registered"), "False Unreachable");
  EXPECT_EQ(ReasonOf("Ready"), "False Unreachable");
  EXPECT_EQ(Status().TextAt({"phase"}), "Pending");
  const auto version = api.resource_version();
  EXPECT_FALSE(Reconcile());
  EXPECT_EQ(api.resource_version(), version);
  broker.failure.reset();
  MustReconcile();
  EXPECT_EQ(Status().TextAt({"phase"}), "Registered");
}

TEST_F(KeyReleaseTest, TakesNothingAwayWhileTheBrokerCanNotBeReached) {
  MustReconcile();
  broker.Release(kJwe, 7);
  MustReconcile();
  broker.failure = Error{ReasonCode::kUnreachable, "down"};
  EXPECT_FALSE(Reconcile());
  EXPECT_TRUE(Secret());
  EXPECT_EQ(Status().TextAt({"phase"}), "Released");
  EXPECT_EQ(ReasonOf("Registered"), "False Unreachable");
  EXPECT_EQ(ReasonOf("Ready"), "True Released");
}

TEST_F(KeyReleaseTest, LooksAgainAtApiServerErrors) {
  api.FailNext("get", "keyreleases", {ReasonCode::kUnreachable, "down"});
  EXPECT_FALSE(Reconcile());
  api.FailNext("get", "pods", {ReasonCode::kUnreachable, "down"});
  EXPECT_FALSE(Reconcile());
  EXPECT_TRUE(broker.calls.empty()) << "a pod that can't be read is not a pod that is gone";
}

TEST_F(KeyReleaseTest, LeavesObjectsOfOtherNamesAlone) {
  for (const char* name : {"portcullis-xyz", "other", "portcullis-"}) {
    EXPECT_TRUE(reconciler.Reconcile({"demo", name}));
  }
  EXPECT_TRUE(broker.calls.empty());
  EXPECT_TRUE(api.calls().empty());
}

}  // namespace
}  // namespace portcullis::control

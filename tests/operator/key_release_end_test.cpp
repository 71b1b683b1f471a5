// What becomes of a release when its pod or object goes, or when it is another's.

#include "tests/operator/key_release_fixture.h"

namespace portcullis::control {
namespace {

using codec::Json;
using test::kReleaseId;

TEST_F(KeyReleaseTest, TakesTheSecretAwayWhenTheReleaseIsRevoked) {
  MustReconcile();
  broker.Release(kJwe, 7);
  MustReconcile();
  broker.Revoke("KeyRevoked");
  MustReconcile();
  EXPECT_FALSE(Secret());
  EXPECT_EQ(Status().TextAt({"phase"}), "Revoked");
  EXPECT_EQ(Status().TextAt({"secretName"}), "");
  EXPECT_EQ(ReasonOf("Ready"), "False Revoked");
  EXPECT_EQ(events.back().reason, "Revoked");
  EXPECT_NE(events.back().note.find("KeyRevoked"), std::string::npos);
}

TEST_F(KeyReleaseTest, RevokesAgainWhatABrokerRestoredToBeforeHasLive) {
  MustReconcile();
  broker.Release(kJwe, 7);
  MustReconcile();
  const auto backup = broker.releases;
  broker.Revoke("KeyRevoked");
  MustReconcile();
  ASSERT_EQ(Status().TextAt({"revocationCause"}), "KeyRevoked");
  broker.releases = backup;
  MustReconcile();
  EXPECT_EQ(broker.releases.at(std::string(kReleaseId)).TextAt({"revocationCause"}), "KeyRevoked");
  EXPECT_FALSE(Secret());
  EXPECT_EQ(Status().TextAt({"phase"}), "Revoked");
  broker.releases.at(std::string(kReleaseId)).Set("podUid", "another");
  MustReconcile();
  EXPECT_EQ(ReasonOf("Registered"), "False Conflict");
  EXPECT_EQ(Status().TextAt({"revocationCause"}), "KeyRevoked") << "also beside another pod's";
  broker.releases.clear();  // restored to before it was registered
  MustReconcile();
  EXPECT_TRUE(broker.releases.empty()) << "registered again, its pod could attest again";
  EXPECT_EQ(Status().TextAt({"revocationCause"}), "KeyRevoked");
}

TEST_F(KeyReleaseTest, RevokesWhatAFinishedPodHad) {
  for (const char* phase : {"Succeeded", "Failed"}) {
    SCOPED_TRACE(phase);
    broker.releases.clear();
    Json fresh = *api.Peek(kube::kKeyReleases, key);
    fresh.Set("status", codec::JsonObject());
    api.Put(kube::kKeyReleases, fresh);
    FinishPod("Running");
    MustReconcile();
    broker.Release(kJwe, 7);
    MustReconcile();
    FinishPod(phase);
    MustReconcile();
    EXPECT_EQ(broker.releases.at(std::string(kReleaseId)).TextAt({"revocationCause"}), "PodFinished");
    EXPECT_FALSE(Secret());
  }
}

TEST_F(KeyReleaseTest, RevokesWhatADeletedPodHad) {
  MustReconcile();
  broker.Release(kJwe, 7);
  MustReconcile();
  api.Remove(kube::kPods, pod_key);
  MustReconcile();
  EXPECT_EQ(broker.releases.at(std::string(kReleaseId)).TextAt({"revocationCause"}), "PodDeleted");
  EXPECT_FALSE(Secret());
}

TEST_F(KeyReleaseTest, TellsAPodFromItsSuccessorOfTheSameName) {
  MustReconcile();
  broker.Release(kJwe, 7);
  Json successor = *api.Peek(kube::kPods, pod_key);
  api.Remove(kube::kPods, pod_key);
  ASSERT_NE(kube::UidOf(api.Put(kube::kPods, successor)), pod_uid);
  MustReconcile();
  EXPECT_EQ(broker.releases.at(std::string(kReleaseId)).TextAt({"phase"}), "Revoked");
  EXPECT_FALSE(Secret());
}

TEST_F(KeyReleaseTest, RegistersNothingForAPodThatEndedBefore) {
  FinishPod("Failed");
  MustReconcile();
  api.Remove(kube::kPods, pod_key);
  MustReconcile();
  EXPECT_TRUE(broker.releases.empty());
  EXPECT_EQ(broker.Count("PUT release"), 0u);
}

TEST_F(KeyReleaseTest, RevokesWhenTheObjectIsGone) {
  MustReconcile();
  broker.Release(kJwe, 7);
  MustReconcile();
  api.Remove(kube::kKeyReleases, key);
  MustReconcile();
  EXPECT_EQ(broker.releases.at(std::string(kReleaseId)).TextAt({"phase"}), "Revoked");
  EXPECT_FALSE(Secret());
  broker.releases.clear();
  MustReconcile();  // and again: the broker never heard of it
}

TEST_F(KeyReleaseTest, KeepsTheSecretUntilTheBrokerHasRevoked) {
  MustReconcile();
  broker.Release(kJwe, 7);
  MustReconcile();
  api.Remove(kube::kKeyReleases, key);
  broker.failure = Error{ReasonCode::kUnreachable, "down"};
  EXPECT_FALSE(Reconcile());
  broker.failure.reset();
  MustReconcile();
  EXPECT_FALSE(Secret());
}

/// A registration that differs from the KeyRelease in one member.
class AnothersRelease : public KeyReleaseTest, public ::testing::WithParamInterface<const char*> {
 protected:
  AnothersRelease() {
    Json registration = Json::Object({{"cluster", "production"},
                                      {"namespace", "demo"},
                                      {"pod", "victim-0"},
                                      {"podUid", pod_uid},
                                      {"initDataDigest", "sha256:00"}});
    registration.Set(GetParam(), "another");
    broker.PutRelease(std::string(kReleaseId), registration).value();
    broker.Release(kJwe, 7);
    broker.calls.clear();
  }
};

TEST_P(AnothersRelease, IsNotDelivered) {
  MustReconcile();
  MustReconcile();
  EXPECT_TRUE(api.All(kube::kSecrets).empty());
  EXPECT_EQ(ReasonOf("Registered"), "False Conflict");
  EXPECT_EQ(ReasonOf("Ready"), "False Conflict");
  EXPECT_EQ(Status().TextAt({"verdict"}), "");
  const Json status = Status();
  EXPECT_NE(kube::FindCondition(status, "Registered")->TextAt({"message"}).find("/victim-0"),
            std::string_view::npos);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].reason, "Conflict");
  EXPECT_EQ(events[0].type, kube::EventType::kWarning);
  EXPECT_EQ(events[0].uid, pod_uid);
}

TEST_P(AnothersRelease, IsNotTakenBackWhenThePodEnds) {
  FinishPod("Succeeded");
  MustReconcile();
  api.Remove(kube::kPods, pod_key);
  MustReconcile();
  EXPECT_EQ(PhaseAtBroker(), "Released");
  EXPECT_EQ(broker.Count("DELETE release PodFinished") + broker.Count("DELETE release PodDeleted"), 0u);
}

INSTANTIATE_TEST_SUITE_P(Differing, AnothersRelease,
                         ::testing::Values("cluster", "namespace", "podUid", "initDataDigest"),
                         [](const auto& instance) { return std::string(instance.param); });

TEST_F(KeyReleaseTest, TakesBackNoOtherNamespacesOrClustersReleaseWhenTheObjectIsGone) {
  for (const char* member : {"cluster", "namespace"}) {
    SCOPED_TRACE(member);
    broker.releases.clear();
    Json registration = Json::Object({{"cluster", "production"}, {"namespace", "demo"}});
    registration.Set(member, "another");
    broker.PutRelease(std::string(kReleaseId), registration).value();
    api.Remove(kube::kKeyReleases, key);
    MustReconcile();
    EXPECT_EQ(PhaseAtBroker(), "Registered");
  }
}

TEST_F(KeyReleaseTest, TakesARegistrationThatAnotherWasQuickerWithForConflict) {
  const std::string id(kReleaseId);
  broker.releases[id] = Json::Object({{"phase", "Registered"}, {"cluster", "another"}});
  MustReconcile();
  EXPECT_EQ(ReasonOf("Registered"), "False Conflict");
  broker.releases.clear();
  MustReconcile();
  EXPECT_EQ(ReasonOf("Registered"), "True Registered") << "once the broker has forgotten it";
}

}  // namespace
}  // namespace portcullis::control

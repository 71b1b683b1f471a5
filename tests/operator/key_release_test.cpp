#include "operator/reconcilers/key_release.h"

#include <gtest/gtest.h>

#include "codec/text.h"
#include "kube/objects.h"
#include "operator/reconcilers/pod.h"
#include "tests/operator/fake_broker.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_kube.h"

namespace portcullis::control {
namespace {

using codec::Json;
using test::kReleaseId;

const Json kJwe = Json::Object({{"protected", "p"}, {"ciphertext", "first"}});
const Json kOtherJwe = Json::Object({{"protected", "p"}, {"ciphertext", "second"}});

class KeyReleaseTest : public ::testing::Test {
 protected:
  KeyReleaseTest() {
    Json pod = kube::NewObject(kube::kPods, pod_key);
    pod.Set("status", Json::Object({{"phase", "Pending"}}));
    pod_uid = kube::UidOf(api.Put(kube::kPods, pod));
    Json release = kube::NewObject(kube::kKeyReleases, key);
    release.Set("spec", Json::Object({{"releaseId", kReleaseId},
                                      {"podName", "llama-0"},
                                      {"podUid", pod_uid},
                                      {"serviceAccountName", "llama"},
                                      {"policyName", "llama-policy"},
                                      {"keyName", "llama"},
                                      {"initDataDigest", "sha256:00"}}));
    api.Put(kube::kKeyReleases, release);
  }

  Result<NextLook> Reconcile() { return reconciler.Reconcile(key); }
  void MustReconcile() {
    const auto next = Reconcile();
    ASSERT_TRUE(next) << next.error().ToString();
  }
  Json Status() const {
    const auto object = api.Peek(kube::kKeyReleases, key);
    const Json* status = object ? object->Find("status") : nullptr;
    return status == nullptr ? Json() : *status;
  }
  std::string ReasonOf(std::string_view condition) const {
    const Json status = Status();
    const Json* found = kube::FindCondition(status, condition);
    return found == nullptr
               ? ""
               : std::string(found->TextAt({"status"})) + " " + std::string(found->TextAt({"reason"}));
  }
  std::optional<Json> Secret() const { return api.Peek(kube::kSecrets, secret_key); }
  std::string SealedKey() const {
    const auto secret = Secret();
    return secret ? ToText(codec::DecodeBase64(secret->TextAt({"data", "key.jwe"})).value()) : "";
  }
  /// As in a namespace that the chart was not told of.
  void ForbidSecrets() {
    for (const char* verb : {"get", "create", "delete"})
      api.FailNext(verb, "secrets", {ReasonCode::kForbidden, "no", "secrets is forbidden"}, 1000);
  }
  std::string PhaseAtBroker() {
    return std::string(broker.releases.at(std::string(kReleaseId)).TextAt({"phase"}));
  }
  void FinishPod(std::string_view phase) {
    Json pod = *api.Peek(kube::kPods, pod_key);
    pod.Member("status").Set("phase", phase);
    api.Put(kube::kPods, pod);
  }

  const kube::ObjectKey key{"demo", KeyReleaseNameFor(kReleaseId)}, pod_key{"demo", "llama-0"},
      secret_key{"demo", kube::SecretNameFor(kReleaseId)};
  std::string pod_uid;
  test::FakeKube api;
  test::FakeBroker broker;
  test::FakeClock clock;
  metrics::Metrics metrics{"controller"};
  std::vector<kube::Event> events;
  std::vector<std::size_t> patches_before_event;
  KeyReleaseReconciler reconciler{api,
                                  broker,
                                  [this](kube::Event event) {
                                    events.push_back(std::move(event));
                                    patches_before_event.push_back(api.CountCalls("patch", "keyreleases"));
                                  },
                                  clock,
                                  metrics,
                                  "production"};
};

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

#include "operator/reconcilers/pod.h"

#include "tests/operator/admission.h"
#include "tests/support/fake_kube.h"

namespace portcullis::control {
namespace {

using codec::Json;

class PodReconcilerTest : public test::AdmissionTest {
 protected:
  PodReconcilerTest() {
    pod = Admitted();
    pod.Member("metadata").Set("namespace", "demo");
    name = KeyReleaseNameFor(ReleaseIdOf(pod));
  }
  Result<NextLook> Reconcile() {
    stored = api.Put(kube::kPods, pod);
    return reconciler.Reconcile({"demo", "llama-0"});
  }
  std::optional<Json> KeyRelease() const { return api.Peek(kube::kKeyReleases, {"demo", name}); }
  void ExpectNone() {
    ASSERT_TRUE(Reconcile());
    EXPECT_TRUE(api.All(kube::kKeyReleases).empty());
  }
  test::FakeKube api;
  std::vector<kube::Event> events;
  bool is_known = false;
  PodReconciler reconciler{api, [this](kube::Event event) { events.push_back(std::move(event)); },
                           [this](const kube::ObjectKey&, std::string_view uid) {
                             EXPECT_EQ(uid, kube::UidOf(stored));
                             return is_known;
                           }};
  Json pod, stored;
  std::string name;
};

TEST_F(PodReconcilerTest, MakesAKeyReleaseThatThePodOwns) {
  ASSERT_TRUE(Reconcile());
  const auto release = KeyRelease();
  ASSERT_TRUE(release);
  EXPECT_EQ(*release->Find("spec"),
            Json::Object({{"releaseId", ReleaseIdOf(pod)},
                          {"podName", "llama-0"},
                          {"podUid", kube::UidOf(stored)},
                          {"serviceAccountName", "llama"},
                          {"policyName", "llama"},
                          {"keyName", "llama"},
                          {"initDataDigest", kube::AnnotationOf(pod, kube::kInitDataDigestAnnotation)}}));
  EXPECT_EQ(*release->At({"metadata", "ownerReferences"}),
            Json::Array({kube::OwnerReferenceTo(kube::kPods, stored)}));
  EXPECT_EQ(kube::LabelOf(*release, kube::kReleaseIdLabel), ReleaseIdOf(pod));
}

TEST_F(PodReconcilerTest, ChangesNothingTheSecondTime) {
  ASSERT_TRUE(Reconcile());
  const auto release = KeyRelease();
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(KeyRelease(), release);
}

TEST_F(PodReconcilerTest, MakesNoneWhereOneIsKnown) {
  is_known = true;
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(api.CountCalls("create", "keyreleases"), 0u);
}

TEST_F(PodReconcilerTest, TellsOfAReleaseIdThatAnotherPodHas) {
  ASSERT_TRUE(Reconcile());
  const auto release = KeyRelease();
  EXPECT_TRUE(events.empty());
  api.Remove(kube::kPods, {"demo", "llama-0"});
  const auto next = Reconcile();  // a copy of it, with another UID
  ASSERT_TRUE(next);
  EXPECT_TRUE(next->after) << "the other may go without a word to this one";
  EXPECT_EQ(KeyRelease(), release);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].reason, "Conflict");
  EXPECT_EQ(events[0].type, kube::EventType::kWarning);
  EXPECT_EQ(events[0].uid, kube::UidOf(stored));
  EXPECT_NE(events[0].note.find(release->TextAt({"spec", "podUid"})), std::string::npos);
}

TEST_F(PodReconcilerTest, TakesALostAnswerForWhatItIs) {
  api.LoseAnswer("create", "keyreleases");
  EXPECT_FALSE(Reconcile());
  EXPECT_TRUE(Reconcile());
  EXPECT_TRUE(KeyRelease());
}

TEST_F(PodReconcilerTest, TriesAgainWhenTheApiServerCanNotBeReached) {
  api.FailNext("get", "pods", {ReasonCode::kUnreachable, "down"});
  EXPECT_FALSE(Reconcile());
  api.FailNext("create", "keyreleases", {ReasonCode::kUnreachable, "down"});
  EXPECT_FALSE(Reconcile());
  EXPECT_FALSE(KeyRelease());
}

TEST_F(PodReconcilerTest, ReadsTheDigestFromInitDataAndNotFromTheAnnotation) {
  const std::string digest(kube::AnnotationOf(pod, kube::kInitDataDigestAnnotation));
  SetAnnotation(pod, kube::kInitDataDigestAnnotation, "sha256:forged");
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(KeyRelease()->TextAt({"spec", "initDataDigest"}), digest);
}

TEST_F(PodReconcilerTest, MakesNothingForPodsThatAreNotAsAdmitted) {
  const Json admitted = pod;
  SetLabel(pod, kube::kReleaseIdLabel, std::string(32, 'a'));
  ExpectNone();
  pod = admitted;
  pod.Member("metadata").Member("annotations").Erase(kube::kInitDataAnnotation);
  ExpectNone();
  pod = admitted;
  SetInitData(pod, {{"aa.toml", ""}});
  ExpectNone();
}

TEST_F(PodReconcilerTest, MakesNothingForPodsThatAskForNoKey) {
  pod.Member("metadata").Erase("labels");
  ExpectNone();
  SetLabel(pod, kube::kReleaseIdLabel, "not-an-id");
  ExpectNone();
}

TEST_F(PodReconcilerTest, MakesNothingForPodsThatEnd) {
  for (const char* phase : {"Succeeded", "Failed"}) {
    pod.Set("status", Json::Object({{"phase", phase}}));
    ExpectNone();
  }
  pod.Set("status", Json::Object({{"phase", "Running"}}));
  pod.Member("metadata").Set("deletionTimestamp", "2026-11-24T21:53:00Z");
  ExpectNone();
}

TEST_F(PodReconcilerTest, HasNothingToDoForAPodThatIsGone) {
  EXPECT_TRUE(reconciler.Reconcile({"demo", "absent"}));
  EXPECT_TRUE(api.All(kube::kKeyReleases).empty());
}

TEST(KeyReleaseName, IsReadBack) {
  const std::string id(32, 'a');
  EXPECT_EQ(ReleaseIdIn(KeyReleaseNameFor(id)), id);
  for (const std::string& other :
       {id, "portcullis-" + id + "a", std::string("portcullis-"), "portcullis-" + std::string(32, 'A')})
    EXPECT_EQ(ReleaseIdIn(other), "") << other;
}

}  // namespace
}  // namespace portcullis::control

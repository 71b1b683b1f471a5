#include "operator/controller.h"

#include "codec/init_data.h"
#include "kube/objects.h"
#include "operator/reconcilers/pod.h"
#include "tests/operator/admission.h"
#include "tests/operator/fake_broker.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_kube.h"

namespace portcullis::control {
namespace {

using codec::Json;
using test::kReleaseId;

/// The whole controller, on its threads, between an API server and a broker in memory.
class ControllerTest : public test::AdmissionTest {
 protected:
  ControllerTest() { options.cluster = broker.cluster; }
  void Start() { controller.Start(); }
  void Await(std::string_view what, const std::function<bool()>& holds) {
    ASSERT_TRUE(api.WaitUntil(holds)) << what;
  }
  Json PutObject(const kube::Resource& resource, const kube::ObjectKey& key) {
    Json object = kube::NewObject(resource, key);
    object.Member("metadata").Set("generation", 1);
    object.Set("spec", codec::JsonObject());
    return api.Put(resource, object);
  }
  /// A pod as admitted, with the release id `id`.
  Json PutPod(const std::string& name) {
    Json pod = Admitted();
    pod.Member("metadata").Set("namespace", "demo").Set("name", name);
    return api.Put(kube::kPods, pod);
  }
  static kube::ObjectKey KeyReleaseOf(const Json& pod) {
    return {"demo", KeyReleaseNameFor(ReleaseIdOf(pod))};
  }
  std::string PhaseOf(const kube::ObjectKey& key_release) const {
    const auto object = api.Peek(kube::kKeyReleases, key_release);
    return object ? std::string(object->TextAt({"status", "phase"})) : "";
  }
  std::string PhaseAtBroker(const std::string& id) {
    return broker.Locked([&] {
      const auto found = broker.releases.find(id);
      return found == broker.releases.end() ? "" : std::string(found->second.TextAt({"phase"}));
    });
  }
  bool IsAccepted(const kube::Resource& resource, const kube::ObjectKey& key) const {
    const auto object = api.Peek(resource, key);
    const Json* status = object ? object->Find("status") : nullptr;
    return status != nullptr && kube::IsConditionTrue(*status, "Accepted");
  }

  const SystemClock clock;
  metrics::Metrics metrics{"controller"};
  test::FakeKube api;
  test::FakeBroker broker;
  Options options;
  Controller controller{[this] {
                          Options made;
                          made.cluster = broker.cluster;
                          return made;
                        }(),
                        api, broker, clock, metrics};
};

TEST_F(ControllerTest, TakesBackAfterAStartWhatWasDeletedWhileItWasAway) {
  PutObject(kube::kModelKeys, {"demo", "kept"});
  PutObject(kube::kReleasePolicies, {"demo", "kept"});
  broker.keys = {{"demo", "gone"}, {"demo", "kept"}, {"other", "gone"}};
  broker.policies = {{"demo", "gone"}, {"demo", "kept"}};
  Start();
  Await("keys and policies without an object are withdrawn", [&] {
    return broker.Called("DELETE key demo/gone") && broker.Called("DELETE key other/gone") &&
           broker.Called("DELETE policy demo/gone");
  });
  EXPECT_FALSE(broker.Called("DELETE key demo/kept"));
  EXPECT_FALSE(broker.Called("DELETE policy demo/kept"));
}

TEST_F(ControllerTest, TakesBackReleasesOfThisClusterAloneWhosePodsWentWhileItWasAway) {
  const std::string ours(32, 'a'), others(32, 'b');
  for (const auto& [id, cluster] : {std::pair{ours, broker.cluster}, std::pair{others, std::string("west")}})
    broker.releases[id] = Json::Object(
        {{"id", id}, {"cluster", cluster}, {"namespace", "demo"}, {"podUid", "u"}, {"phase", "Released"}});
  Start();
  Await("it is revoked", [&] { return PhaseAtBroker(ours) == "Revoked"; });
  EXPECT_EQ(PhaseAtBroker(others), "Released");
}

TEST_F(ControllerTest, MirrorsAPolicyAsSoonAsTheKeyThatItWaitedForIsAccepted) {
  broker.policies_need_keys = true;
  PutObject(kube::kReleasePolicies, {"demo", "llama"});
  PutObject(kube::kReleasePolicies, {"other", "llama"});
  Start();
  // Its next try is then more than two seconds away.
  Await("it is refused again and again",
        [&] { return broker.Locked([&] { return broker.Count("PUT policy demo/llama") >= 10; }); });
  const auto before = std::chrono::steady_clock::now();
  PutObject(kube::kModelKeys, {"demo", "llama"});
  Await("it is accepted", [&] { return IsAccepted(kube::kReleasePolicies, {"demo", "llama"}); });
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(2));
  EXPECT_FALSE(IsAccepted(kube::kReleasePolicies, {"other", "llama"}));
}

TEST_F(ControllerTest, AsksOnlyWhatAPodsStartAndEndNeed) {
  Start();
  Await("all is listed", [&] { return controller.NotReady().empty(); });
  const Json pod = PutPod("llama-0");
  Await("it is registered", [&] { return PhaseOf(KeyReleaseOf(pod)) == "Registered"; });
  Json running = *api.Peek(kube::kPods, {"demo", "llama-0"});
  for (int i = 0; i < 5; ++i) {
    running.Set("status", Json::Object({{"phase", "Running"}, {"restarts", i}}));
    api.Put(kube::kPods, running);
  }
  // Pods are heard of in order: once this one is registered, the other's changes have been.
  const Json next = PutPod("llama-1");
  Await("so is the next", [&] { return PhaseOf(KeyReleaseOf(next)) == "Registered"; });
  EXPECT_EQ(api.CountCalls("create", "keyreleases"), 2u);
  EXPECT_LE(api.CountCalls("get", "pods"), 2u + 2u * 2u)
      << "once to make each KeyRelease, and for each change of it";
  running.Set("status", Json::Object({{"phase", "Succeeded"}}));
  api.Put(kube::kPods, running);
  Await("its end is noticed", [&] { return PhaseOf(KeyReleaseOf(pod)) == "Revoked"; });
  broker.Locked([&] {
    EXPECT_EQ(broker.Count("DELETE release PodDeleted"), 0u) << "of a release that nobody knows yet";
    EXPECT_EQ(broker.Count("PUT release"), 2u);
    EXPECT_EQ(broker.Count("DELETE release PodFinished"), 1u);
    return 0;
  });
}

TEST_F(ControllerTest, TakesAReleaseBackAtOnceWhenItsPodGoes) {
  Start();
  Await("all is listed", [&] { return controller.NotReady().empty(); });
  const Json pod = PutPod("llama-0"), other = PutPod("llama-1");
  const kube::ObjectKey key_release = KeyReleaseOf(pod);
  for (const Json* each : {&pod, &other})
    Await("it is registered", [&] { return PhaseOf(KeyReleaseOf(*each)) == "Registered"; });
  api.Remove(kube::kPods, {"demo", "llama-0"});
  Await("it is revoked", [&] { return PhaseOf(key_release) == "Revoked"; });
  EXPECT_EQ(PhaseAtBroker(ReleaseIdOf(pod)), "Revoked") << "though no garbage collector was there";
  // A pod of the same name with a release of its own, as a StatefulSet makes it, seen in place of the old
  // one.
  Json fresh = Admitted();
  fresh.Member("metadata").Set("namespace", "demo").Set("name", "llama-1");
  api.Remove(kube::kPods, {"demo", "llama-1"});
  api.Put(kube::kPods, fresh);
  Await("the old one's is revoked", [&] { return PhaseOf(KeyReleaseOf(other)) == "Revoked"; });
  Await("the new one's is registered", [&] { return PhaseOf(KeyReleaseOf(fresh)) == "Registered"; });
}

TEST_F(ControllerTest, LooksAtEverythingWhenTheBrokersDecisionsGoBack) {
  const Json pod = PutPod("llama-0");
  PutObject(kube::kModelKeys, {"demo", "llama"});
  Start();
  Await("it is registered", [&] { return PhaseOf(KeyReleaseOf(pod)) == "Registered"; });
  Await("the key is mirrored", [&] { return IsAccepted(kube::kModelKeys, {"demo", "llama"}); });
  const auto page = [](std::int64_t next) {
    return Json::Object({{"decisions", codec::JsonArray()}, {"next", next}});
  };
  broker.Locked([&] {
    broker.decision_pages = {page(100)};
    return 0;
  });
  Await("the feed is read", [&] { return broker.Locked([&] { return broker.decision_pages.empty(); }); });
  // A backup from before the registration.
  broker.Locked([&] {
    broker.releases.clear();
    broker.keys.clear();
    broker.calls.clear();
    broker.decision_pages = {page(40)};
    return 0;
  });
  Await("what it forgot is there again", [&] {
    return PhaseAtBroker(ReleaseIdOf(pod)) == "Registered" && broker.Called("PUT key demo/llama");
  });
}

TEST_F(ControllerTest, RevokesAgainWhatARestoredBrokerHasLive) {
  test::FakeClock still;
  Controller patient(options, api, broker, still, metrics);
  patient.Start();
  Json pod = PutPod("llama-0");
  const std::string id = ReleaseIdOf(pod);
  Await("it is registered", [&] { return PhaseOf(KeyReleaseOf(pod)) == "Registered"; });
  pod.Set("status", Json::Object({{"phase", "Failed"}}));
  api.Put(kube::kPods, pod);
  Await("it is revoked", [&] { return PhaseOf(KeyReleaseOf(pod)) == "Revoked"; });
  // The last look that it was due as a live release.
  broker.Locked([&] {
    broker.calls.clear();
    return 0;
  });
  still.Advance(std::chrono::minutes(5));
  Await("it is looked at", [&] { return broker.Called("GET release"); });
  broker.Locked([&] {
    broker.releases.at(id).Set("phase", "Registered").Erase("revocationCause");
    return 0;
  });
  still.Advance(std::chrono::minutes(5));
  Await("it is revoked again", [&] { return PhaseAtBroker(id) == "Revoked"; });
}

}  // namespace
}  // namespace portcullis::control

#pragma once

#include <gtest/gtest.h>

#include "codec/text.h"
#include "kube/objects.h"
#include "operator/reconcilers/key_release.h"
#include "operator/reconcilers/pod.h"
#include "tests/operator/fake_broker.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_kube.h"

namespace portcullis::control {

inline const codec::Json kJwe = codec::Json::Object({{"protected", "p"}, {"ciphertext", "first"}});
inline const codec::Json kOtherJwe = codec::Json::Object({{"protected", "p"}, {"ciphertext", "second"}});

/// A reconciler of one KeyRelease, its pod and the broker, all in memory.
class KeyReleaseTest : public ::testing::Test {
 protected:
  using Json = codec::Json;
  static constexpr std::string_view kReleaseId = test::kReleaseId;

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

}  // namespace portcullis::control

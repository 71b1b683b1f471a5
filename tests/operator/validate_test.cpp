#include <gtest/gtest.h>

#include <functional>

#include "tests/operator/admission.h"

namespace portcullis::control {
namespace {

using codec::Json;

class ValidatePodTest : public test::AdmissionTest {
 protected:
  void ExpectInconsistent(const Json& pod, std::string_view where) {
    ExpectDenied(Validate(pod), ReasonCode::kImmutableField, where);
  }
};

TEST_F(ValidatePodTest, RefusesAPodThatTheMutatingSideDidNotSee) { ExpectInconsistent(Pod(), "release-id"); }

TEST_F(ValidatePodTest, RefusesAReleaseIdOfTheUsersOwn) {
  Json pod = Pod();
  SetLabel(pod, kube::kReleaseIdLabel, std::string(32, 'a'));
  ExpectInconsistent(pod, "cc_init_data");
  SetLabel(pod, kube::kReleaseIdLabel, "not-an-id");
  ExpectInconsistent(pod, "release-id");
}

TEST_F(ValidatePodTest, RefusesAnotherPodsReleaseId) {
  const Json other = Admitted();
  Json pod = Admitted();
  SetLabel(pod, kube::kReleaseIdLabel, ReleaseIdOf(other));
  ExpectInconsistent(pod, "cc_init_data");
}

TEST_F(ValidatePodTest, RefusesAnotherPodsReleaseWithItsInitData) {
  const Json other = Admitted();
  Json pod = Pod();
  pod.Member("spec").Set("serviceAccountName", "someone-else");
  SetLabel(pod, kube::kReleaseIdLabel, ReleaseIdOf(other));
  for (const auto annotation : {kube::kInitDataAnnotation, kube::kInitDataDigestAnnotation})
    SetAnnotation(pod, annotation, kube::AnnotationOf(other, annotation));
  ExpectInconsistent(pod, "cc_init_data");
}

TEST_F(ValidatePodTest, RefusesAReleaseIdWithoutAPolicy) {
  Json pod = Admitted();
  pod.Member("metadata").Member("labels").Erase(kube::kPolicyLabel);
  ExpectDenied(Validate(pod), ReasonCode::kPolicyMissing, "portcullis.dev/policy");
}

TEST_F(ValidatePodTest, RefusesADigestThatIsNotOfTheInitData) {
  Json pod = Admitted();
  SetAnnotation(pod, kube::kInitDataDigestAnnotation, "sha256:" + std::string(64, '0'));
  ExpectInconsistent(pod, "cc_init_data");
}

TEST_F(ValidatePodTest, RefusesInitDataWithoutTheClaim) {
  Json pod = Admitted();
  SetInitData(pod, {{"aa.toml", ""}});
  ExpectInconsistent(pod, "cc_init_data");
  SetInitData(pod, {{"portcullis.json", "{"}});
  ExpectInconsistent(pod, "cc_init_data");
}

TEST_F(ValidatePodTest, RefusesInitDataThatNamesAnotherBroker) {
  Json pod = Admitted();
  Json claim = codec::ParseJson(InitDataOf(pod).data.at("portcullis.json")).value();
  claim.Member("kbs").Set("url", "https://attacker.example");
  SetInitData(pod, {{"portcullis.json", codec::ToText(claim)}});
  ExpectInconsistent(pod, "cc_init_data");
}

TEST_F(ValidatePodTest, HoldsInitDataToTheNamespaceOfTheRequest) {
  policies["other/llama"] = policies["demo/llama"];
  keys["other/llama"] = keys["demo/llama"];
  auto request = Request(Admitted());
  request.namespace_name = "other";
  ExpectDenied(ValidatePod(request, context), ReasonCode::kImmutableField, "cc_init_data");
}

TEST_F(ValidatePodTest, RefusesARequestWithoutContainersAndLivesOn) {
  Json pod = Admitted();
  pod.Member("spec").Erase("containers");
  ExpectDenied(Validate(pod), ReasonCode::kRequestMalformed, "spec.containers");
  pod.Member("spec").Set("containers", "none");
  ExpectDenied(Validate(pod), ReasonCode::kRequestMalformed, "spec.containers");
  pod.Erase("spec");
  EXPECT_TRUE(Validate(pod).denial);
}

TEST_F(ValidatePodTest, RefusesAContainerWithoutItsGate) {
  Json pod = Admitted();
  Item(pod, "containers", 0).Erase("env");
  ExpectInconsistent(pod, "PORTCULLIS_SEALED_KEY");
}

TEST_F(ValidatePodTest, RefusesAContainerThatAnotherWebhookAddedWithoutAGate) {
  Json pod = Admitted();
  pod.Member("spec").Member("containers").Push(Json::Object({{"name", "proxy"}, {"image", "p:1"}}));
  ExpectInconsistent(pod, "proxy");
}

TEST_F(ValidatePodTest, RefusesAGateOnAnotherSecretOrAnOptionalOne) {
  Json pod = Admitted();
  Item(pod, "containers", 0).Set("env", Json::Array({SealedKeyVariable(std::string(32, 'b'))}));
  ExpectInconsistent(pod, "PORTCULLIS_SEALED_KEY");
  Json variable = SealedKeyVariable(ReleaseIdOf(pod));
  variable.Member("valueFrom").Member("secretKeyRef").Set("optional", true);
  Item(pod, "containers", 0).Set("env", Json::Array({variable}));
  ExpectInconsistent(pod, "PORTCULLIS_SEALED_KEY");
}

TEST_F(ValidatePodTest, RefusesAKeyVolumeThatIsNotMemory) {
  Json pod = Admitted();
  Item(pod, "volumes", 0).Set("emptyDir", codec::JsonObject());
  ExpectInconsistent(pod, "spec.volumes");
  pod.Member("spec").Set("volumes", codec::JsonArray());
  ExpectInconsistent(pod, "spec.volumes");
}

struct Changed {
  const char* name;
  std::function<void(Json& agent)> change;
};
class OtherAgent : public test::AdmissionTest, public ::testing::WithParamInterface<Changed> {};

TEST_P(OtherAgent, IsRefused) {
  Json pod = Admitted();
  GetParam().change(Item(pod, "initContainers", 0));
  ExpectDenied(Validate(pod), ReasonCode::kImmutableField, "spec.initContainers[0]");
}
INSTANTIATE_TEST_SUITE_P(
    ValidatePod, OtherAgent,
    ::testing::Values(
        Changed{"Name", [](Json& a) { a.Set("name", "agent"); }},
        Changed{"Image", [](Json& a) { a.Set("image", "evil:1"); }},
        Changed{"ImageOfAnotherRegistry", [](Json& a) { a.Set("image", "evil.example/agent:1"); }},
        Changed{"ImageWithALongerName", [](Json& a) { a.Set("image", "registry.example/agent/evil:1"); }},
        Changed{"NoImage", [](Json& a) { a.Erase("image"); }},
        Changed{"Arguments",
                [](Json& a) {
                  a.Set("args", Json::Array({"fetch", "--out", "/elsewhere"}));
                }},
        Changed{"NoArguments", [](Json& a) { a.Erase("args"); }},
        Changed{"Command", [](Json& a) { a.Set("command", Json::Array({"/bin/sh"})); }},
        Changed{"Sidecar", [](Json& a) { a.Set("restartPolicy", "Always"); }},
        Changed{"NoInitData", [](Json& a) { a.Erase("env"); }},
        Changed{"OtherInitData",
                [](Json& a) {
                  a.Member("env").Push(Json::Object({{"name", "PORTCULLIS_INIT_DATA"}, {"value", "mine"}}));
                }}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(ValidatePodTest, TakesTheAgentOfAnotherRelease) {
  Json pod = Admitted();
  for (const char* image : {"registry.example/agent:2", "registry.example/agent",
                            "registry.example/agent@sha256:00", "registry.example/agent:2@sha256:00"}) {
    Item(pod, "initContainers", 0).Set("image", image);
    ExpectAdmitted(Validate(pod));
  }
  context.agent_image = "localhost:5000/agent";
  pod = Admitted();
  Item(pod, "initContainers", 0).Set("image", "localhost:5000/agent:2");
  ExpectAdmitted(Validate(pod));
  Item(pod, "initContainers", 0).Set("image", "localhost:5000/evil");
  ExpectInconsistent(pod, "spec.initContainers[0]");
}

TEST_F(ValidatePodTest, TakesAnEarlierIdentityOfTheBroker) {
  const Json pod = Admitted();
  const BrokerIdentity before = context.broker;
  context.broker.signing_key.Set("x", "renewed");
  ExpectInconsistent(pod, "cc_init_data");
  context.earlier_brokers = {before};
  ExpectAdmitted(Validate(pod));
  ExpectAdmitted(Validate(Admitted()));
}

TEST_F(ValidatePodTest, RefusesWhileTheBrokersIdentityIsUnknown) {
  const Json pod = Admitted();
  context.broker.signing_key = Json();
  ExpectDenied(Validate(pod), ReasonCode::kUnreachable, "");
}

TEST_F(ValidatePodTest, RefusesAnotherContainerBeforeTheAgent) {
  Json pod = Admitted();
  auto& list = *pod.Member("spec").Member("initContainers").if_array();
  list.insert(list.begin(), Json::Object({{"name", "first"}, {"image", "f:1"}}));
  ExpectInconsistent(pod, "spec.initContainers[0]");
  list.clear();
  ExpectInconsistent(pod, "spec.initContainers[0]");
}

TEST_F(ValidatePodTest, BearsWithDefaultsOfTheApiServerAndWithOtherWebhooks) {
  Json pod = Admitted();
  Json& agent = Item(pod, "initContainers", 0);
  agent.Set("imagePullPolicy", "IfNotPresent").Set("terminationMessagePath", "/dev/termination-log");
  agent.Member("env").Push(Json::Object({{"name", "HTTP_PROXY"}, {"value", "http://proxy"}}));
  agent.Member("volumeMounts").Push(Json::Object({{"name", "token"}, {"mountPath", "/var/run/secrets"}}));
  pod.Member("spec").Member("volumes").Push(
      Json::Object({{"name", "token"}, {"projected", codec::JsonObject()}}));
  SetLabel(pod, "example.com/mesh", "on");
  ExpectAdmitted(Validate(pod));
}

TEST_F(ValidatePodTest, LetsUnrelatedChangesThrough) {
  const Json before = Admitted();
  Json after = before;
  SetLabel(after, "example.com/team", "ml");
  SetAnnotation(after, "example.com/note", "hello");
  ExpectAdmitted(ValidateUpdate(before, after));
  ExpectAdmitted(ValidateUpdate(before, before));
}

TEST_F(ValidatePodTest, FreezesTheLabelsOfARelease) {
  const Json before = Admitted();
  for (const auto label : {kube::kPolicyLabel, kube::kKeyLabel, kube::kReleaseIdLabel}) {
    Json after = before;
    SetLabel(after, label, "other");
    ExpectDenied(ValidateUpdate(before, after), ReasonCode::kImmutableField, label);
  }
  Json after = before;
  after.Member("metadata").Erase("labels");
  ExpectDenied(ValidateUpdate(before, after), ReasonCode::kImmutableField, "metadata.labels");
}

TEST_F(ValidatePodTest, DoesNotLetARunningPodBecomeOneThatAsks) {
  Json before = Pod();
  before.Member("metadata").Erase("labels");
  ExpectDenied(ValidateUpdate(before, Pod()), ReasonCode::kImmutableField, "portcullis.dev/policy");
}

TEST_F(ValidatePodTest, FreezesInitData) {
  const Json before = Admitted();
  for (const auto annotation : {kube::kInitDataAnnotation, kube::kInitDataDigestAnnotation}) {
    Json after = before;
    SetAnnotation(after, annotation, "other");
    ExpectDenied(ValidateUpdate(before, after), ReasonCode::kImmutableField, annotation);
  }
}

TEST_F(ValidatePodTest, FreezesImages) {
  const Json before = Admitted();
  for (const auto list : {"containers", "initContainers"}) {
    Json after = before;
    Item(after, list, 0).Set("image", "other:1");
    ExpectDenied(ValidateUpdate(before, after), ReasonCode::kImmutableField,
                 std::string("spec.") + list + "[0].image");
  }
}

TEST_F(ValidatePodTest, RefusesEphemeralContainers) {
  const Json before = Admitted();
  Json after = before;
  after.Member("spec")
      .Member("ephemeralContainers")
      .Push(Json::Object({{"name", "debug"}, {"image", "busybox"}}));
  ExpectDenied(ValidateUpdate(before, after, "ephemeralcontainers"), ReasonCode::kImmutableField,
               "ephemeralContainers");
}

TEST_F(ValidatePodTest, LeavesOtherPodsAlone) {
  Json before = Pod();
  before.Member("metadata").Erase("labels");
  Json after = before;
  Item(after, "containers", 0).Set("image", "other:1");
  ExpectAdmitted(ValidateUpdate(before, after));
  ExpectAdmitted(ValidateUpdate(before, after, "ephemeralcontainers"));
  ExpectAdmitted(Validate(before));
}

TEST_F(ValidatePodTest, HasNothingToSayOfDeletion) {
  ExpectAdmitted(ValidatePod(Request(Json(), "DELETE"), context));
}

}  // namespace
}  // namespace portcullis::control

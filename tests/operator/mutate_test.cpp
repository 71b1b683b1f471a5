#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "tests/operator/admission.h"

namespace portcullis::control {
namespace {

using codec::Json;

class MutatePodTest : public test::AdmissionTest {};

TEST_F(MutatePodTest, LeavesOtherPodsAlone) {
  Json pod = Pod();
  pod.Member("metadata").Erase("labels");
  pod.Member("spec").Set("hostNetwork", true);
  const auto admission = Mutate(pod);
  ExpectAdmitted(admission);
  EXPECT_TRUE(admission.patch.empty());
  ExpectAdmitted(Validate(pod));
}

TEST_F(MutatePodTest, WritesWhatTheValidatingSideDemands) { ExpectAdmitted(Validate(Admitted())); }

TEST_F(MutatePodTest, PutsTheAgentFirst) {
  Json pod = Pod();
  pod.Member("spec").Set("initContainers",
                         Json::Array({Json::Object({{"name", "migrate"}, {"image", "m:1"}})}));
  pod = Admitted(pod);
  EXPECT_EQ(Item(pod, "initContainers", 0), AgentContainer(context.agent_image, AgentUser()));
  EXPECT_EQ(Item(pod, "initContainers", 1).TextAt({"name"}), "migrate");
  ExpectAdmitted(Validate(pod));
}

TEST_F(MutatePodTest, GatesEveryContainerOnItsSealedKey) {
  Json pod = Pod();
  pod.Member("spec")
      .Member("containers")
      .Push(Json::Object(
          {{"name", "sidecar"},
           {"image", "s:1"},
           {"env", Json::Array({Json::Object({{"name", "A"}, {"value", "1"}})})},
           {"volumeMounts", Json::Array({Json::Object({{"name", "data"}, {"mountPath", "/data"}})})}}));
  pod.Member("spec").Set("volumes",
                         Json::Array({Json::Object({{"name", "data"}, {"emptyDir", codec::JsonObject()}})}));
  pod = Admitted(pod);
  const Json variable = SealedKeyVariable(ReleaseIdOf(pod));
  for (std::size_t i : {0u, 1u}) {
    const auto& env = *Item(pod, "containers", i).Find("env")->if_array();
    EXPECT_EQ(std::ranges::count(env, variable), 1);
    const auto& mounts = *Item(pod, "containers", i).Find("volumeMounts")->if_array();
    EXPECT_EQ(std::ranges::count(mounts, KeyMount(true)), 1);
  }
  EXPECT_EQ(Item(pod, "containers", 1).Find("env")->if_array()->front().TextAt({"name"}), "A");
  EXPECT_EQ(Item(pod, "volumes", 0).TextAt({"name"}), "data");
  EXPECT_EQ(Item(pod, "volumes", 1), KeyVolume());
  ExpectAdmitted(Validate(pod));
}

TEST_F(MutatePodTest, ReplacesEmptyLists) {
  Json pod = Pod();
  for (const char* list : {"initContainers", "volumes"}) pod.Member("spec").Set(list, codec::JsonArray());
  Item(pod, "containers", 0).Set("env", codec::JsonArray()).Set("volumeMounts", codec::JsonArray());
  ExpectAdmitted(Validate(Admitted(pod)));
}

TEST_F(MutatePodTest, NamesReleaseBrokerAndPodInInitData) {
  const Json pod = Admitted();
  const auto init_data = InitDataOf(pod);
  EXPECT_EQ(init_data.algorithm, "sha256");
  EXPECT_TRUE(kube::IsReleaseId(ReleaseIdOf(pod)));
  EXPECT_EQ(codec::ParseJson(init_data.data.at("portcullis.json")).value(),
            Json::Object({{"version", 1},
                          {"releaseId", ReleaseIdOf(pod)},
                          {"namespace", "demo"},
                          {"serviceAccount", "llama"},
                          {"policy", "llama"},
                          {"key", "llama"},
                          {"resource", "demo/model/llama"},
                          {"kbs", Json::Object({{"url", context.guest_url},
                                                {"ca", context.broker.ca_pem},
                                                {"signingKey", context.broker.signing_key}})}}));
  EXPECT_EQ(kube::AnnotationOf(pod, kube::kInitDataDigestAnnotation),
            crypto::DigestText(crypto::Sha256(AsBytes(init_data.text))));
}

TEST_F(MutatePodTest, DrawsAReleaseIdForEachPod) {
  EXPECT_NE(ReleaseIdOf(Admitted()), ReleaseIdOf(Admitted()));
}

TEST_F(MutatePodTest, ActsOnCreationOnly) {
  for (const char* operation : {"UPDATE", "DELETE", "CONNECT"}) {
    const auto admission = MutatePod(Request(Pod(), operation), context, random);
    ExpectAdmitted(admission);
    EXPECT_TRUE(admission.patch.empty());
  }
}

TEST_F(MutatePodTest, KeepsTheUsersOtherInitDataEntries) {
  Json pod = Pod();
  SetAnnotation(pod, kube::kInitDataAnnotation,
                codec::EncodeInitDataAnnotation(
                    codec::MakeInitData({{"aa.toml", "x = 1\n"}, {"policy.rego", "package p"}})));
  SetAnnotation(pod, "example.com/other", "kept");
  pod = Admitted(pod);
  const auto data = InitDataOf(pod).data;
  EXPECT_EQ(data.size(), 3u);
  EXPECT_EQ(data.at("aa.toml"), "x = 1\n");
  EXPECT_EQ(data.at("policy.rego"), "package p");
  EXPECT_EQ(kube::AnnotationOf(pod, "example.com/other"), "kept");
  ExpectAdmitted(Validate(pod));
}

TEST_F(MutatePodTest, RefusesInitDataThatCanNotBeRead) {
  Json pod = Pod();
  SetAnnotation(pod, kube::kInitDataAnnotation, "%%%");
  ExpectDenied(Mutate(pod), ReasonCode::kRequestMalformed, "metadata.annotations");
}

TEST_F(MutatePodTest, WritesNoGateWhereTheAgentAloneDelivers) {
  policies["demo/llama"].Set("delivery", "Direct");
  Json pod = Admitted();
  EXPECT_EQ(Item(pod, "containers", 0).Find("env"), nullptr);
  ExpectAdmitted(Validate(pod));
}

TEST_F(MutatePodTest, TakesTheKeyThatTheLabelNames) {
  policies["demo/llama"].Set("keys", Json::Array({"llama", "mistral"}));
  keys["demo/mistral"] = Json::Object({{"resource", "demo/model/mistral"}});
  ExpectDenied(Mutate(Pod()), ReasonCode::kRequestMalformed, "portcullis.dev/key");
  Json pod = Pod();
  SetLabel(pod, kube::kKeyLabel, "mistral");
  pod = Admitted(pod);
  EXPECT_EQ(codec::ParseJson(InitDataOf(pod).data.at("portcullis.json"))->TextAt({"resource"}),
            "demo/model/mistral");
  ExpectAdmitted(Validate(pod));
}

TEST_F(MutatePodTest, RefusesAKeyThatThePolicyDoesNotCover) {
  keys["demo/other"] = Json::Object({{"resource", "demo/model/other"}});
  Json pod = Pod();
  SetLabel(pod, kube::kKeyLabel, "other");
  ExpectDenied(Mutate(pod), ReasonCode::kSubjectNotAllowed, "portcullis.dev/key");
}

TEST_F(MutatePodTest, RefusesAPolicyThatTheNamespaceDoesNotHave) {
  policies["other/llama"] = policies["demo/llama"];
  policies.erase("demo/llama");
  ExpectDenied(Mutate(Pod()), ReasonCode::kPolicyMissing, "portcullis.dev/policy");
  policies["demo/llama"] = Json::Object({{"keys", codec::JsonArray()}});
  ExpectDenied(Mutate(Pod()), ReasonCode::kPolicyMissing, "llama");
}

TEST_F(MutatePodTest, TakesALabelWithoutAValueForAnAskingPodToo) {
  Json pod = Pod();
  SetLabel(pod, kube::kPolicyLabel, "");
  ExpectDenied(Mutate(pod), ReasonCode::kPolicyMissing, "portcullis.dev/policy");
}

TEST_F(MutatePodTest, RefusesAKeyThatTheNamespaceDoesNotHave) {
  keys.clear();
  ExpectDenied(Mutate(Pod()), ReasonCode::kKeyUnavailable, "llama");
}

TEST_F(MutatePodTest, RefusesWhileTheBrokersIdentityIsUnknown) {
  context.broker.signing_key = Json();
  const auto admission = Mutate(Pod());
  ExpectDenied(admission, ReasonCode::kUnreachable, "");
  EXPECT_TRUE(ReasonFor(admission.denial->code).retryable);
}

TEST_F(MutatePodTest, RefusesAPodWithoutContainers) {
  Json pod = Pod();
  pod.Member("spec").Set("containers", codec::JsonArray());
  ExpectDenied(Mutate(pod), ReasonCode::kRequestMalformed, "spec.containers");
  pod.Member("spec").Erase("containers");
  ExpectDenied(Mutate(pod), ReasonCode::kRequestMalformed, "spec.containers");
}

TEST_F(MutatePodTest, TakesAPodPinnedToAttestedNodes) {
  Json pod = Pod();
  pod.Member("spec").Erase("runtimeClassName");
  ExpectDenied(Mutate(pod), ReasonCode::kNotConfidential, "not set");
  pod.Member("spec").Set("nodeSelector", Json::Object({{"example.com/attested", "snp"}}));
  ExpectAdmitted(Mutate(pod));
}

TEST_F(MutatePodTest, RefusesARuntimeClassWhoseTeeThePolicyDoesNotServe) {
  context.runtime_classes = {"kata-qemu-snp", "kata-qemu-tdx", "kata-cc"};
  policies["demo/llama"].Set("tees", Json::Object({{"tdx", Json::Object({})}}));
  ExpectDenied(Mutate(Pod()), ReasonCode::kTeeMismatch, "spec.runtimeClassName: \"kata-qemu-snp\"");
  Json pod = Pod();
  pod.Member("spec").Set("runtimeClassName", "kata-qemu-tdx");
  ExpectAdmitted(Mutate(pod));
  // One that names none is left to the evidence.
  pod.Member("spec").Set("runtimeClassName", "kata-cc");
  ExpectAdmitted(Mutate(pod));
  policies["demo/llama"].Set("tees", Json::Object({{"snp", Json::Object({})}}));
  ExpectAdmitted(Mutate(Pod()));
}

TEST_F(MutatePodTest, MeasuresInitDataOfATdSoThatMrConfigIdHoldsIt) {
  context.runtime_classes = {"kata-qemu-tdx"};
  Json pod = Pod();
  pod.Member("spec").Set("runtimeClassName", "kata-qemu-tdx");
  const Json admitted = Admitted(pod);
  EXPECT_EQ(InitDataOf(admitted).algorithm, "sha256");
  EXPECT_EQ(kube::AnnotationOf(admitted, kube::kInitDataDigestAnnotation),
            crypto::DigestText(crypto::Sha256(AsBytes(InitDataOf(admitted).text))));
}

struct Refused {
  const char* name;
  ReasonCode code;
  const char* where;
  std::function<void(Json& spec)> spoil;
};

class NotConfidential : public test::AdmissionTest, public ::testing::WithParamInterface<Refused> {};

TEST_P(NotConfidential, IsRefusedByBothSidesWithTheFieldToChange) {
  Json pod = Pod();
  GetParam().spoil(pod.Member("spec"));
  ExpectDenied(Mutate(pod), GetParam().code, GetParam().where);
  Json admitted = Admitted();
  GetParam().spoil(admitted.Member("spec"));
  const auto validated = Validate(admitted);
  ASSERT_TRUE(validated.denial);
  EXPECT_EQ(validated.denial->code, GetParam().code) << validated.denial->ToString();
}

/// Another container in `list`, which is privileged.
std::function<void(Json&)> Privileged(const char* list) {
  return [list](Json& spec) {
    spec.Member(list).Push(
        Json::Object({{"name", "p"}, {"securityContext", Json::Object({{"privileged", true}})}}));
  };
}

constexpr auto kNo = ReasonCode::kNotConfidential;
constexpr auto kHost = ReasonCode::kHostAccessNotAllowed;
INSTANTIATE_TEST_SUITE_P(
    MutatePod, NotConfidential,
    ::testing::Values(
        Refused{"NoRuntimeClass", kNo, "runtimeClassName", [](Json& s) { s.Erase("runtimeClassName"); }},
        Refused{"OrdinaryRuntimeClass", kNo, "runtimeClassName",
                [](Json& s) { s.Set("runtimeClassName", "runc"); }},
        Refused{"PrefixOfAConfidentialClass", kNo, "runtimeClassName",
                [](Json& s) { s.Set("runtimeClassName", "kata-qemu-snp2"); }},
        Refused{"DebugClass", kNo, "runtimeClassName",
                [](Json& s) { s.Set("runtimeClassName", "kata-qemu-snp-debug"); }},
        Refused{"DebugClassOnAttestedNodes", kNo, "runtimeClassName",
                [](Json& s) {
                  s.Set("runtimeClassName", "kata-debug")
                      .Set("nodeSelector", Json::Object({{"example.com/attested", "snp"}}));
                }},
        Refused{"OtherNodeSelector", kNo, "runtimeClassName",
                [](Json& s) {
                  s.Set("runtimeClassName", "runc").Set("nodeSelector", Json::Object({{"zone", "a"}}));
                }},
        Refused{"HostNetwork", kHost, "spec.hostNetwork", [](Json& s) { s.Set("hostNetwork", true); }},
        Refused{"HostPid", kHost, "spec.hostPID", [](Json& s) { s.Set("hostPID", true); }},
        Refused{"HostIpc", kHost, "spec.hostIPC", [](Json& s) { s.Set("hostIPC", true); }},
        Refused{"HostPath", kHost, ".hostPath",
                [](Json& s) {
                  s.Member("volumes").Push(
                      Json::Object({{"name", "h"}, {"hostPath", Json::Object({{"path", "/"}})}}));
                }},
        Refused{"PrivilegedContainer", kHost, "spec.containers[1]", Privileged("containers")},
        Refused{"PrivilegedInitContainer", kHost, "spec.initContainers[", Privileged("initContainers")},
        Refused{"PrivilegedEphemeralContainer", kHost, "spec.ephemeralContainers[0]",
                Privileged("ephemeralContainers")}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace portcullis::control

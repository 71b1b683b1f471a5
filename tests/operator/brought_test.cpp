#include <gtest/gtest.h>

#include <functional>

#include "tests/operator/admission.h"

namespace portcullis::control {
namespace {

using codec::Json;

/// A release belongs to one pod: what admission writes comes from admission alone.
class RefuseBroughtTest : public test::AdmissionTest {
 protected:
  void ExpectRefused(const Json& pod, std::string_view where) {
    ExpectDenied(Mutate(pod), ReasonCode::kRequestMalformed, where);
  }
  /// As "kubectl get -o yaml | kubectl create" and backup tools send it.
  static Json CopyOf(Json pod) {
    pod.Member("metadata").Set("uid", "u-2").Set("resourceVersion", "7");
    pod.Set("status", Json::Object({{"phase", "Running"}}));
    return pod;
  }
};

TEST_F(RefuseBroughtTest, RefusesACopyAndNamesAllThatIsToBeRemoved) {
  const auto admission = Mutate(CopyOf(Admitted()));
  ASSERT_TRUE(admission.denial);
  EXPECT_EQ(admission.denial->code, ReasonCode::kRequestMalformed);
  EXPECT_NE(admission.denial->text.view().find("remove these fields"), std::string_view::npos);
  EXPECT_EQ(admission.denial->where,
            "metadata.labels[\"portcullis.dev/release-id\"], "
            "metadata.annotations[\"portcullis.dev/init-data-digest\"], "
            "portcullis.json in metadata.annotations[\"io.katacontainers.config.hypervisor.cc_init_data\"], "
            "spec.initContainers[0], spec.volumes[0], spec.containers[0].env[0], "
            "spec.containers[0].volumeMounts[0]");
}

TEST_F(RefuseBroughtTest, RefusesACopyUnderAnotherNameOrGeneratedName) {
  Json pod = CopyOf(Admitted());
  pod.Member("metadata").Erase("name");
  pod.Member("metadata").Set("generateName", "llama-");
  ExpectRefused(pod, "release-id");
}

/// All values are public, so one who writes them himself gets everything right; the validating side alone
/// could not tell.
TEST_F(RefuseBroughtTest, RefusesACompleteForgeryForAnyId) {
  Json pod = Pod();
  const std::string id(32, 'a');
  SetLabel(pod, kube::kReleaseIdLabel, id);
  SetInitData(pod,
              {{"portcullis.json",
                codec::ToText(ClaimFor(
                    pod, context.guest_url, context.broker, id, "demo",
                    {.policy = "llama", .key = "llama", .resource = "demo/model/llama", .direct = false}))}});
  Item(pod, "containers", 0)
      .Set("env", Json::Array({SealedKeyVariable(id)}))
      .Set("volumeMounts", Json::Array({KeyMount(true)}));
  pod.Member("spec")
      .Set("initContainers", Json::Array({AgentContainer(context.agent_image, AgentUserFor(pod))}))
      .Set("volumes", Json::Array({KeyVolume()}));
  ExpectAdmitted(Validate(pod));
  ExpectRefused(pod, "metadata.labels[\"portcullis.dev/release-id\"]");
}

TEST_F(RefuseBroughtTest, RefusesTheIdOfAnotherNamespacesPod) {
  policies["other/llama"] = policies["demo/llama"];
  keys["other/llama"] = keys["demo/llama"];
  Json pod = Pod();
  SetLabel(pod, kube::kReleaseIdLabel, ReleaseIdOf(Admitted()));
  auto request = Request(pod);
  request.namespace_name = "other";
  ExpectDenied(MutatePod(request, context, random), ReasonCode::kRequestMalformed, "release-id");
}

TEST_F(RefuseBroughtTest, NamesEightFieldsAndCountsTheOthers) {
  Json pod = Admitted();
  for (int i = 0; i < 100; ++i) pod.Member("spec").Member("containers").Push(Item(pod, "containers", 0));
  const auto admission = Mutate(pod);
  ASSERT_TRUE(admission.denial);
  EXPECT_TRUE(admission.denial->where.ends_with(" and 199 more")) << admission.denial->where;
  EXPECT_LT(admission.denial->where.size(), 512u);
}

TEST_F(RefuseBroughtTest, LeavesPodsAloneThatAskForNoKey) {
  Json pod = Pod();
  pod.Member("metadata").Erase("labels");
  pod.Member("spec").Set("volumes", Json::Array({KeyVolume()}));
  ExpectAdmitted(Mutate(pod));
}

TEST_F(RefuseBroughtTest, TakesAPodBeforeAdmissionHoweverOftenItIsSent) {
  // A dry run, a request that the API server sends again, a retry of a generated name: the same object.
  const Json pod = Pod();
  EXPECT_NE(ReleaseIdOf(Admitted(pod)), ReleaseIdOf(Admitted(pod)));
}

struct Brought {
  const char* name;
  const char* where;
  std::function<void(Json& pod)> bring;
};
class BroughtField : public test::AdmissionTest, public ::testing::WithParamInterface<Brought> {};

TEST_P(BroughtField, IsRefusedByItsName) {
  Json pod = Pod();
  GetParam().bring(pod);
  ExpectDenied(Mutate(pod), ReasonCode::kRequestMalformed, GetParam().where);
}

std::function<void(Json&)> InMain(const char* list, Json item) {
  return [list, item](Json& pod) {
    pod.Member("spec").Member("containers").if_array()->front().Set(list, Json::Array({item}));
  };
}

INSTANTIATE_TEST_SUITE_P(
    MutatePod, BroughtField,
    ::testing::Values(
        Brought{
            "ReleaseId", "metadata.labels[\"portcullis.dev/release-id\"]",
            [](Json& p) {
              p.Member("metadata").Member("labels").Set("portcullis.dev/release-id", std::string(32, 'a'));
            }},
        Brought{"EmptyReleaseId", "metadata.labels[\"portcullis.dev/release-id\"]",
                [](Json& p) { p.Member("metadata").Member("labels").Set("portcullis.dev/release-id", ""); }},
        Brought{"Digest", "metadata.annotations[\"portcullis.dev/init-data-digest\"]",
                [](Json& p) {
                  p.Member("metadata").Member("annotations").Set("portcullis.dev/init-data-digest", "");
                }},
        Brought{"Claim", "portcullis.json in metadata.annotations",
                [](Json& p) {
                  p.Member("metadata")
                      .Member("annotations")
                      .Set(kube::kInitDataAnnotation,
                           codec::EncodeInitDataAnnotation(codec::MakeInitData({{"portcullis.json", "{}"}})));
                }},
        Brought{"Agent", "spec.initContainers[1]",
                [](Json& p) {
                  p.Member("spec").Set("initContainers",
                                       Json::Array({Json::Object({{"name", "first"}, {"image", "f:1"}}),
                                                    Json::Object({{"name", "portcullis-agent"}})}));
                }},
        Brought{"Volume", "spec.volumes[0]",
                [](Json& p) { p.Member("spec").Set("volumes", Json::Array({KeyVolume()})); }},
        Brought{"Gate", "spec.containers[0].env[0]",
                InMain("env", Json::Object({{"name", "PORTCULLIS_SEALED_KEY"}, {"value", "mine"}}))},
        Brought{"Mount", "spec.containers[0].volumeMounts[0]",
                InMain("volumeMounts", Json::Object({{"name", "other"}, {"mountPath", "/run/portcullis"}}))}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace portcullis::control

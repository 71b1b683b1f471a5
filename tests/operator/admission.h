#pragma once

#include <gtest/gtest.h>

#include "codec/text.h"
#include "crypto/digest.h"
#include "kube/objects.h"
#include "operator/admission/injected.h"
#include "operator/admission/pod_rules.h"
#include "tests/support/json_patch.h"
#include "tests/support/seeded_random.h"

namespace portcullis::test {

/// A cluster's admission in small: the namespace "demo" has a policy "llama" for the ModelKey "llama".
class AdmissionTest : public ::testing::Test {
 protected:
  using Json = codec::Json;

  AdmissionTest() {
    context = {
        .runtime_classes = {"kata-qemu-snp", "kata-cc"},
        .node_selector_labels = {"example.com/attested"},
        .agent_image = "registry.example/agent:1",
        .guest_url = "https://kbs.example:8443",
        .broker = {.ca_pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                   .signing_key = Json::Object({{"crv", "P-256"}, {"kty", "EC"}, {"x", "x"}, {"y", "y"}})},
        .earlier_brokers = {},
        .policy = [this](const std::string& ns, const std::string& name) { return Look(policies, ns, name); },
        .model_key = [this](const std::string& ns, const std::string& name) { return Look(keys, ns, name); },
    };
    policies["demo/llama"] = Json::Object({{"keys", Json::Array({"llama"})}, {"delivery", "Secret"}});
    keys["demo/llama"] = Json::Object({{"resource", "demo/model/llama"}});
  }

  /// As a user writes it, with what the API server filled in before it asks webhooks.
  static Json Pod() {
    return Json::Object(
        {{"apiVersion", "v1"},
         {"kind", "Pod"},
         {"metadata", Json::Object({{"name", "llama-0"},
                                    {"labels", Json::Object({{"portcullis.dev/policy", "llama"}})}})},
         {"spec", Json::Object({{"runtimeClassName", "kata-qemu-snp"},
                                {"serviceAccountName", "llama"},
                                {"containers",
                                 Json::Array({Json::Object({{"name", "main"}, {"image", "vllm:1"}})})}})}});
  }
  static void SetLabel(Json& pod, std::string_view name, std::string_view value) {
    pod.Member("metadata").Member("labels").Set(name, value);
  }
  static void SetAnnotation(Json& pod, std::string_view name, std::string_view value) {
    pod.Member("metadata").Member("annotations").Set(name, value);
  }
  static Json& Item(Json& pod, std::string_view list, std::size_t index) {
    return (*pod.Member("spec").Member(list).if_array()).at(index);
  }

  control::AdmissionRequest Request(Json pod, std::string operation = "CREATE") const {
    return {.uid = "u-1",
            .operation = std::move(operation),
            .namespace_name = "demo",
            .resource = "pods",
            .sub_resource = "",
            .object = std::move(pod),
            .old_object = {}};
  }
  control::Admission Mutate(const Json& pod) { return control::MutatePod(Request(pod), context, random); }
  control::Admission Validate(const Json& pod) const { return control::ValidatePod(Request(pod), context); }
  control::Admission ValidateUpdate(const Json& before, const Json& after,
                                    std::string sub_resource = "") const {
    auto request = Request(after, "UPDATE");
    request.old_object = before;
    request.sub_resource = std::move(sub_resource);
    return control::ValidatePod(request, context);
  }
  /// The pod after the mutating webhook.
  Json Admitted(Json pod) {
    const auto admission = Mutate(pod);
    EXPECT_FALSE(admission.denial) << admission.denial->ToString();
    const auto applied = ApplyJsonPatch(pod, admission.patch);
    EXPECT_TRUE(applied) << applied.error().ToString();
    return pod;
  }
  Json Admitted() { return Admitted(Pod()); }

  static std::string ReleaseIdOf(const Json& pod) {
    return std::string(kube::LabelOf(pod, kube::kReleaseIdLabel));
  }
  static codec::InitData InitDataOf(const Json& pod) {
    return codec::DecodeInitDataAnnotation(kube::AnnotationOf(pod, kube::kInitDataAnnotation)).value();
  }
  /// Writes init-data and its digest, as one who knows how would.
  static void SetInitData(Json& pod, const std::map<std::string, std::string>& entries) {
    const auto init_data = codec::MakeInitData(entries);
    SetAnnotation(pod, kube::kInitDataAnnotation, codec::EncodeInitDataAnnotation(init_data));
    SetAnnotation(pod, kube::kInitDataDigestAnnotation,
                  crypto::DigestText(crypto::Sha256(AsBytes(init_data.text))));
  }

  static void ExpectDenied(const control::Admission& admission, ReasonCode code, std::string_view where) {
    ASSERT_TRUE(admission.denial) << "admitted";
    EXPECT_EQ(admission.denial->code, code) << admission.denial->ToString();
    EXPECT_NE(admission.denial->where.find(where), std::string::npos) << admission.denial->ToString();
    EXPECT_TRUE(admission.patch.empty());
  }
  static void ExpectAdmitted(const control::Admission& admission) {
    EXPECT_FALSE(admission.denial) << admission.denial->ToString();
  }

  control::AdmissionContext context;
  SeededRandom random;
  std::map<std::string, Json> policies, keys;

 private:
  static std::optional<Json> Look(const std::map<std::string, Json>& in, const std::string& ns,
                                  const std::string& name) {
    const auto found = in.find(ns + "/" + name);
    return found == in.end() ? std::nullopt : std::optional(found->second);
  }
};

}  // namespace portcullis::test

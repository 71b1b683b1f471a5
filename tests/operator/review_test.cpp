#include "operator/admission/review.h"

#include <gtest/gtest.h>

#include "codec/text.h"

namespace portcullis::control {
namespace {

using codec::Json;

Json Review() {
  return Json::Object({{"apiVersion", "admission.k8s.io/v1"},
                       {"kind", "AdmissionReview"},
                       {"request", Json::Object({{"uid", "u-1"},
                                                 {"operation", "UPDATE"},
                                                 {"namespace", "demo"},
                                                 {"resource", Json::Object({{"resource", "pods"}})},
                                                 {"subResource", "status"},
                                                 {"object", Json::Object({{"a", 1}})},
                                                 {"oldObject", Json::Object({{"a", 2}})}})}});
}

TEST(ParseAdmissionReview, ReadsWhatConcernsUs) {
  const auto request = ParseAdmissionReview(codec::ToText(Review()));
  ASSERT_TRUE(request) << request.error().ToString();
  EXPECT_EQ(request->uid, "u-1");
  EXPECT_EQ(request->operation, "UPDATE");
  EXPECT_EQ(request->namespace_name, "demo");
  EXPECT_EQ(request->resource, "pods");
  EXPECT_EQ(request->sub_resource, "status");
  EXPECT_EQ(request->object, Json::Object({{"a", 1}}));
  EXPECT_EQ(request->old_object, Json::Object({{"a", 2}}));
}

TEST(ParseAdmissionReview, TakesADeletionWithoutObject) {
  Json review = Review();
  review.Member("request").Set("object", nullptr).Erase("oldObject");
  const auto request = ParseAdmissionReview(codec::ToText(review));
  ASSERT_TRUE(request);
  EXPECT_TRUE(request->object.is_null());
  EXPECT_TRUE(request->old_object.is_null());
}

TEST(ParseAdmissionReview, RefusesWhatIsNone) {
  const auto refused = [](auto spoil) {
    Json review = Review();
    spoil(review);
    const auto request = ParseAdmissionReview(codec::ToText(review));
    return !request && request.error().code == ReasonCode::kRequestMalformed;
  };
  EXPECT_TRUE(refused([](Json& r) { r.Set("apiVersion", "admission.k8s.io/v1beta1"); }));
  EXPECT_TRUE(refused([](Json& r) { r.Erase("request"); }));
  EXPECT_TRUE(refused([](Json& r) { r.Set("request", "text"); }));
  EXPECT_TRUE(refused([](Json& r) { r.Member("request").Erase("uid"); }));
  EXPECT_TRUE(refused([](Json& r) { r.Member("request").Erase("operation"); }));
  EXPECT_TRUE(refused([](Json& r) { r = Json::Array({}); }));
  EXPECT_FALSE(ParseAdmissionReview(""));
  EXPECT_FALSE(ParseAdmissionReview("{"));
}

TEST(AdmissionResponse, AdmitsWithoutPatch) {
  EXPECT_EQ(AdmissionResponse("u-1", {}),
            Json::Object({{"apiVersion", "admission.k8s.io/v1"},
                          {"kind", "AdmissionReview"},
                          {"response", Json::Object({{"uid", "u-1"}, {"allowed", true}})}}));
}

TEST(AdmissionResponse, CarriesThePatchInBase64) {
  const Json operation = Json::Object({{"op", "add"}, {"path", "/a"}, {"value", 1}});
  const Json response = AdmissionResponse("u-1", {.denial = {}, .patch = {operation}, .warnings = {}});
  EXPECT_EQ(response.TextAt({"response", "patchType"}), "JSONPatch");
  const auto patch = codec::DecodeBase64(response.TextAt({"response", "patch"}));
  EXPECT_EQ(codec::ParseJson(AsText(patch.value())).value(), Json::Array({operation}));
}

TEST(AdmissionResponse, SaysNoWithReasonFieldRemedyAndDocs) {
  const Json response = AdmissionResponse(
      "u-1", {.denial = Error{ReasonCode::kNotConfidential, "the RuntimeClass is not a confidential one",
                              "spec.runtimeClassName"},
              .patch = {Json("never sent")},
              .warnings = {}});
  EXPECT_EQ(*response.At({"response", "allowed"}), Json(false));
  EXPECT_EQ(response.At({"response", "patch"}), nullptr);
  EXPECT_EQ(*response.At({"response", "status", "code"}), Json(403));
  EXPECT_EQ(response.TextAt({"response", "status", "message"}),
            "NotConfidential: the RuntimeClass is not a confidential one (spec.runtimeClassName). " +
                std::string(ReasonFor(ReasonCode::kNotConfidential).remedy) +
                " See docs/reference/reasons.md#notconfidential.");
}

TEST(AdmissionResponse, TellsWhatMayBeTriedAgain) {
  const Json response = AdmissionResponse(
      "u-1", {.denial = Error{ReasonCode::kPolicyMissing, "no policy"}, .patch = {}, .warnings = {}});
  EXPECT_EQ(*response.At({"response", "status", "code"}), Json(503));
  EXPECT_EQ(response.TextAt({"response", "status", "reason"}), "ServiceUnavailable");
}

TEST(AdmissionResponse, CutsWarnings) {
  const Json response =
      AdmissionResponse("u-1", {.denial = {}, .patch = {}, .warnings = {std::string(300, 'w')}});
  EXPECT_EQ(response.At({"response", "warnings"})->if_array()->front(), Json(std::string(256, 'w')));
}

}  // namespace
}  // namespace portcullis::control

#include "operator/admission/review.h"

#include "codec/text.h"

namespace portcullis::control {

using codec::Json;

namespace {

Json MemberOrNull(const Json& value, std::string_view name) {
  const Json* found = value.Find(name);
  return found == nullptr ? Json() : *found;
}

}  // namespace

Result<AdmissionRequest> ParseAdmissionReview(std::string_view body) {
  const Json review = TRY(codec::ParseJson(body));
  const Json* request = review.Find("request");
  if (review.TextAt({"apiVersion"}) != "admission.k8s.io/v1" || request == nullptr || !request->is_object())
    return Error{ReasonCode::kRequestMalformed, "not an AdmissionReview of admission.k8s.io/v1"};
  AdmissionRequest out{.uid = std::string(request->TextAt({"uid"})),
                       .operation = std::string(request->TextAt({"operation"})),
                       .namespace_name = std::string(request->TextAt({"namespace"})),
                       .resource = std::string(request->TextAt({"resource", "resource"})),
                       .sub_resource = std::string(request->TextAt({"subResource"})),
                       .object = MemberOrNull(*request, "object"),
                       .old_object = MemberOrNull(*request, "oldObject")};
  if (out.uid.empty() || out.operation.empty())
    return Error{ReasonCode::kRequestMalformed, "the request has no uid or no operation"};
  return out;
}

Json AdmissionResponse(const std::string& uid, const Admission& admission) {
  Json response = Json::Object({{"uid", uid}, {"allowed", !admission.denial.has_value()}});
  if (admission.denial) {
    const Error& denial = *admission.denial;
    const Reason& reason = ReasonFor(denial.code);
    std::string message = std::string(reason.name) + ": " + std::string(denial.text.view());
    if (!denial.where.empty()) message += " (" + denial.where + ")";
    message += ". " + std::string(reason.remedy) + " See " + DocsAnchor(denial.code) + ".";
    response.Set("status", Json::Object({{"code", reason.retryable ? 503 : 403},
                                         {"message", message},
                                         {"reason", reason.retryable ? "ServiceUnavailable" : "Forbidden"}}));
  } else if (!admission.patch.empty()) {
    response.Set("patchType", "JSONPatch")
        .Set("patch", codec::EncodeBase64(AsBytes(codec::ToText(admission.patch))));
  }
  if (!admission.warnings.empty()) {
    codec::JsonArray warnings;
    for (const std::string& warning : admission.warnings) warnings.push_back(warning.substr(0, 256));
    response.Set("warnings", warnings);
  }
  return Json::Object(
      {{"apiVersion", "admission.k8s.io/v1"}, {"kind", "AdmissionReview"}, {"response", response}});
}

}  // namespace portcullis::control

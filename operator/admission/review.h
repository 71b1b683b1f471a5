#pragma once

#include <optional>
#include <string>
#include <vector>

#include "codec/json.h"

namespace portcullis::control {

/// An AdmissionReview request (admission.k8s.io/v1), as far as it concerns us.
struct AdmissionRequest {
  std::string uid, operation, namespace_name, resource, sub_resource;
  codec::Json object, old_object;
};
/// Error: RequestMalformed.
Result<AdmissionRequest> ParseAdmissionReview(std::string_view body);

/// The decision on one request. A denial is an Error; `patch` (RFC 6902) changes an admitted object.
struct Admission {
  std::optional<Error> denial;
  codec::JsonArray patch;
  std::vector<std::string> warnings;
};
/// The AdmissionReview response: HTTP 200 for every decision.
codec::Json AdmissionResponse(const std::string& uid, const Admission& admission);

}  // namespace portcullis::control

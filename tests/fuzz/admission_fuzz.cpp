#include <cstdlib>

#include "operator/admission/pod_rules.h"
#include "tests/support/json_patch.h"
#include "tests/support/seeded_random.h"

using namespace portcullis;

namespace {

control::AdmissionContext Context() {
  const auto any = [](const char* text) {
    return [text](const std::string&, const std::string& name) {
      return name.starts_with("no") ? std::nullopt : std::optional(codec::ParseJson(text).value());
    };
  };
  return {.runtime_classes = {"kata-qemu-snp"},
          .node_selector_labels = {"example.com/confidential"},
          .agent_image = "example.com/agent:1",
          .guest_url = "https://kbs.example.com",
          .broker = {"-----BEGIN CERTIFICATE-----", codec::Json::Object({{"kty", "EC"}})},
          .earlier_brokers = {},
          .policy = any(R"({"keys":["llama"],"delivery":"Secret"})"),
          .model_key = any(R"({"resource":"team-a/model-key/llama"})")};
}

}  // namespace

/// What the mutating side makes of a pod, it refuses the second time where the pod asks for a key, and the
/// validating side admits.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const control::AdmissionContext kContext = Context();
  auto request = control::ParseAdmissionReview(AsText(std::as_bytes(std::span(data, size))));
  if (!request) return 0;
  (void)control::ValidatePod(*request, kContext);
  test::SeededRandom random(1);
  const control::Admission first = control::MutatePod(*request, kContext, random);
  if (codec::ToText(control::AdmissionResponse(request->uid, first)).empty()) std::abort();
  if (first.denial || request->operation != "CREATE") return 0;
  if (!test::ApplyJsonPatch(request->object, first.patch)) std::abort();
  const control::Admission second = control::MutatePod(*request, kContext, random);
  if (!second.patch.empty() || second.denial.has_value() == first.patch.empty()) std::abort();
  if (control::ValidatePod(*request, kContext).denial) std::abort();
  return 0;
}

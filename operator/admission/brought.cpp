// What a pod may not bring, because admission alone writes it.
#include "kube/objects.h"
#include "operator/admission/injected.h"
#include "operator/admission/pod_rules.h"

namespace portcullis::control {
namespace {

using codec::Json;

constexpr std::size_t kMaxNamed = 8;  // a message is read by a person

/// The paths of what was found, as far as a person reads them.
class Findings {
 public:
  void Add(std::string path) {
    if (++count_ <= kMaxNamed) paths_ += (count_ == 1 ? "" : ", ") + std::move(path);
  }
  bool empty() const { return count_ == 0; }
  std::string Text() const {
    return count_ <= kMaxNamed ? paths_ : paths_ + " and " + std::to_string(count_ - kMaxNamed) + " more";
  }

 private:
  std::size_t count_ = 0;
  std::string paths_;
};

template <typename Fn>
void ForEach(const Json* list, Fn&& fn) {
  if (list == nullptr || list->if_array() == nullptr) return;
  std::size_t index = 0;
  for (const Json& item : *list->if_array()) fn(item, "[" + std::to_string(index++) + "]");
}

bool HasOwnClaim(const Json& pod) {
  const auto init_data = codec::DecodeInitDataAnnotation(kube::AnnotationOf(pod, kube::kInitDataAnnotation));
  return init_data && init_data->data.contains(std::string(kClaimEntry));
}

void FindInContainers(const Json& pod, Findings& found) {
  ForEach(pod.At({"spec", "containers"}), [&](const Json& container, const std::string& index) {
    const std::string path = "spec.containers" + index;
    ForEach(container.Find("env"), [&](const Json& variable, const std::string& at) {
      if (variable.TextAt({"name"}) == kSealedKeyVariable) found.Add(path + ".env" + at);
    });
    ForEach(container.Find("volumeMounts"), [&](const Json& mount, const std::string& at) {
      if (mount.TextAt({"mountPath"}) == kKeyDirectory) found.Add(path + ".volumeMounts" + at);
    });
  });
}

}  // namespace

Result<> RefuseBrought(const Json& pod) {
  Findings found;
  if (pod.At({"metadata", "labels", kube::kReleaseIdLabel}) != nullptr)
    found.Add("metadata.labels[\"" + std::string(kube::kReleaseIdLabel) + "\"]");
  if (pod.At({"metadata", "annotations", kube::kInitDataDigestAnnotation}) != nullptr)
    found.Add("metadata.annotations[\"" + std::string(kube::kInitDataDigestAnnotation) + "\"]");
  if (HasOwnClaim(pod))
    found.Add("portcullis.json in metadata.annotations[\"" + std::string(kube::kInitDataAnnotation) + "\"]");
  ForEach(pod.At({"spec", "initContainers"}), [&](const Json& container, const std::string& index) {
    if (container.TextAt({"name"}) == kAgentName) found.Add("spec.initContainers" + index);
  });
  ForEach(pod.At({"spec", "volumes"}), [&](const Json& volume, const std::string& index) {
    if (volume.TextAt({"name"}) == kKeyVolumeName) found.Add("spec.volumes" + index);
  });
  FindInContainers(pod, found);
  if (found.empty()) return Done{};
  return Error{ReasonCode::kRequestMalformed,
               "the pod brings what admission writes anew for each pod; remove these fields", found.Text()};
}

}  // namespace portcullis::control

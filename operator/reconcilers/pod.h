#pragma once

#include <string>

#include "operator/reconcilers/reconciler.h"

namespace portcullis::control {

/// The name of a pod's KeyRelease, and of its Secret: "portcullis-<release id>".
std::string KeyReleaseNameFor(std::string_view release_id);
/// The release id in such a name; "" where it is none.
std::string ReleaseIdIn(std::string_view key_release_name);

/// Makes a KeyRelease, owned by the pod, for each pod that the webhook admitted.
class PodReconciler final : public Reconciler {
 public:
  explicit PodReconciler(kube::Api& api) : api_(api) {}
  Result<NextLook> Reconcile(const kube::ObjectKey& key) override;

 private:
  kube::Api& api_;
};

/// Succeeded or Failed: its containers will not run again.
bool IsFinished(const codec::Json& pod);

}  // namespace portcullis::control

#pragma once

#include <functional>
#include <string>

#include "kube/events.h"
#include "operator/reconcilers/reconciler.h"

namespace portcullis::control {

/// The name of a pod's KeyRelease, and of its Secret: "portcullis-<release id>".
std::string KeyReleaseNameFor(std::string_view release_id);
/// The release id in such a name; "" where it is none.
std::string ReleaseIdIn(std::string_view key_release_name);

/// Makes a KeyRelease, owned by the pod, for each pod that the webhook admitted. A release id that another
/// pod's KeyRelease has is told in an Event: two pods can't share a release.
class PodReconciler final : public Reconciler {
 public:
  /// Whether a KeyRelease is known to be there for the pod of this UID; where it is, none is made.
  using IsKnown = std::function<bool(const kube::ObjectKey& key_release, std::string_view pod_uid)>;
  PodReconciler(kube::Api& api, std::function<void(kube::Event)> emit, IsKnown is_known)
      : api_(api), emit_(std::move(emit)), is_known_(std::move(is_known)) {}
  Result<NextLook> Reconcile(const kube::ObjectKey& key) override;

 private:
  Result<NextLook> LookAtPresent(const kube::ObjectKey& key_release, const codec::Json& pod);

  kube::Api& api_;
  const std::function<void(kube::Event)> emit_;
  const IsKnown is_known_;
};

/// Succeeded or Failed: its containers will not run again.
bool IsFinished(const codec::Json& pod);

}  // namespace portcullis::control

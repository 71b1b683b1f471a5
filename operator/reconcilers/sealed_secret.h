#pragma once

#include <string>

#include "kube/kube.h"

namespace portcullis::control {

/// The Secret of one release: a JWE for one pod's TEE. Created, compared and deleted by name; never listed or
/// watched. A Secret of that name that is not ours is left alone.
class SealedSecret {
 public:
  SealedSecret(kube::Api& api, std::string namespace_name, std::string release_id)
      : api_(api), namespace_(std::move(namespace_name)), release_id_(std::move(release_id)) {}

  /// Makes it be there with exactly this content, owned by the pod. A Secret of ours with another JWE (the
  /// guest attested again) is replaced. Error: Conflict where a foreign Secret has the name.
  Result<> Ensure(const codec::Json& jwe, const codec::Json& pod);
  /// Makes it be gone, where it is ours.
  Result<> Remove();
  std::string name() const;

 private:
  Result<std::optional<codec::Json>> Read() const;
  bool IsOurs(const codec::Json& secret) const;
  kube::Api& api_;
  std::string namespace_, release_id_;
};

}  // namespace portcullis::control

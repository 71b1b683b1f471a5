#pragma once

#include <string>

#include "kube/connection.h"

namespace portcullis::kube {

/// The current context of a kubeconfig as an Endpoint. `folder` is what relative paths in it start from.
/// ConfigurationInvalid, with the field, for anything that we would have to ignore: insecure-skip-tls-verify,
/// exec and auth-provider plugins, passwords, impersonation, proxies.
Result<Endpoint> ParseKubeconfig(std::string_view yaml, const std::string& folder, const Clock& clock);

}  // namespace portcullis::kube

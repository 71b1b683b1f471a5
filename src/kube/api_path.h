#pragma once

#include <string>
#include <utility>
#include <vector>

#include "kube/kube.h"

namespace portcullis::kube {

using Query = std::vector<std::pair<std::string, std::string>>;

/// "/apis/portcullis.dev/v1alpha1/namespaces/default/keyreleases". RequestMalformed where the namespace is no
/// name.
Result<std::string> CollectionPath(const Resource& resource, std::string_view namespace_name);
/// The path of one object. An empty name is refused: it would name the collection, and turn GET into LIST and
/// DELETE into deletion of all.
Result<std::string> ObjectPath(const Resource& resource, const ObjectKey& key, std::string_view subresource);
/// "?a=b&c=d", percent-encoded; "" for no parameters.
std::string QueryText(const Query& query);

}  // namespace portcullis::kube

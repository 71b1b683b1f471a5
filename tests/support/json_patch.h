#pragma once

#include "codec/json.h"

namespace portcullis::test {

/// RFC 7396: what the API server does with application/merge-patch+json.
void ApplyMergePatch(codec::Json& target, const codec::Json& patch);

/// RFC 6902, operations add, remove, replace and test: what the API server does with an admission webhook's
/// patch. RequestMalformed where an operation is another, has no such place or is a test that fails: the API
/// server says 422 to all three.
Result<> ApplyJsonPatch(codec::Json& target, const codec::Json& patch);

}  // namespace portcullis::test

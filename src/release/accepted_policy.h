#pragma once

#include <memory>
#include <string>
#include <vector>

#include "codec/json.h"
#include "policy/policy.h"
#include "release/records.h"

namespace portcullis::release {

/// A policy as accepted.
struct AcceptedPolicy {
  policy::Policy policy;
  codec::Json document;
  std::vector<std::string> signatures;
  std::string authority;  // thumbprint of the key that signed
};

/// What a row holds, verified again: whoever can write to the store may have written the row, and only the
/// authority can sign. Errors: PolicySignatureInvalid where it is not what that authority signed for this
/// name; PolicyIncomplete where the document was signed but can't be read any more.
Result<std::shared_ptr<const AcceptedPolicy>> VerifyAccepted(const std::string& namespace_name,
                                                             const std::string& name, const PolicyRow& row);

}  // namespace portcullis::release

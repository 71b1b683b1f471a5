#pragma once

#include <string>

#include "base/result.h"
#include "base/secret_bytes.h"

namespace portcullis::kube {

/// A whole file of public text, at most `max_bytes`. ConfigurationInvalid, with the path, otherwise.
Result<std::string> ReadFile(const std::string& path, std::size_t max_bytes);
/// A whole file that holds a secret; what was read passes through no other memory than the kernel's.
Result<SecretBytes> ReadSecretFile(const std::string& path, std::size_t max_bytes);

}  // namespace portcullis::kube

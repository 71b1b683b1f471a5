#pragma once

#include <string>

#include "base/secret_bytes.h"

namespace portcullis::keystore {

/// 32 bytes from a file that its owner alone may touch: raw, or hex or base64 with or without a line's end.
/// Error: KeyUnavailable, without the path.
Result<SecretBytes> ReadKekFile(const std::string& path);

}  // namespace portcullis::keystore

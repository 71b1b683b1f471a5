#pragma once

#include <string_view>

#include "base/secret_bytes.h"

namespace portcullis::crypto {

/// PEM of secret bytes, never outside SecretBytes (codec's PEM is for public ones).
SecretBytes EncodeSecretPem(std::string_view label, const SecretBytes& der);
/// The one PEM block of `pem`, which must have this label; white space around it is allowed, other text is
/// not. Error: RequestMalformed.
Result<SecretBytes> DecodeSecretPem(std::string_view label, const SecretBytes& pem);

}  // namespace portcullis::crypto

#pragma once

#include "base/bytes.h"
#include "base/secret_bytes.h"

namespace portcullis::keystore {

/// Key text decoded straight into locked memory: the decoders of codec/ leave copies on the heap.
/// Errors: RequestMalformed (another character, a length that does not fit).
Result<SecretBytes> DecodeSecretHex(Bytes text);
/// RFC 4648 section 4, padded, unused bits zero.
Result<SecretBytes> DecodeSecretBase64(Bytes text);

}  // namespace portcullis::keystore

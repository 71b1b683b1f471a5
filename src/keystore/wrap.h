#pragma once

#include "keystore/keystore.h"

namespace portcullis::keystore {

/// Opens one version of a model key that its authority signed and that was wrapped to this broker, and holds
/// the JWE's protected header to the object around it. Errors: as VerifyWrappedKey; PolicyAuthorityMismatch
/// (wrapped for another authority), KeyUnavailable.
Result<SecretBytes> UnwrapModelKey(const ModelKey& key, const ModelKey::Version& version,
                                   const crypto::EcPrivateKey& broker);

}  // namespace portcullis::keystore

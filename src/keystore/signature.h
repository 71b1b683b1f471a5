#pragma once

#include "keystore/keystore.h"

namespace portcullis::keystore {

/// A detached JWS over the RFC 8785 form of {"name","namespace","resource","version","wrapped"}, the last
/// being "sha256:<hex>" of the compact JWE.
std::string SignWrappedKey(const KeyVersionId& id, std::string_view wrapped,
                           const crypto::EcPrivateKey& authority);

/// Whether the key's authority signed this version, for this key and with these wrapped bytes.
/// Errors: PolicyAuthorityMismatch (signed, by the kid of another), KeySignatureInvalid.
Result<> VerifyWrappedKey(const ModelKey& key, const ModelKey::Version& version);

}  // namespace portcullis::keystore

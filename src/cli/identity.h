#pragma once

#include <string>

#include "codec/json.h"
#include "crypto/jwk.h"

namespace portcullis::cli {

/// A broker's answer to GET /v1/identity, as it is or from a file.
struct BrokerIdentity {
  crypto::EcPublicKey wrapping_key, signing_key;
  crypto::Ed25519PublicKey audit_key;
  std::string audit_origin, guest_url, version;
};

/// Errors: RequestMalformed, TeeKeyNotAccepted (a key that is none). Members not known here are for later
/// versions.
Result<BrokerIdentity> ParseIdentity(const codec::Json& value);

}  // namespace portcullis::cli

#pragma once

#include <string>

#include "codec/init_data.h"
#include "crypto/jwk.h"

namespace portcullis::agent {

/// What the measured init-data tells the guest: which broker to trust, for which key.
struct TrustedBroker {
  codec::InitData init_data;
  std::string release_id, namespace_name, key, resource;
  std::string url, ca_pem;
  crypto::EcPublicKey signing_key;
};

/// From the pod annotation's text. Nothing of it may be used before Tee::RequireMeasured() has seen that the
/// hardware measured it. Error: InitDataMismatch, RequestMalformed.
Result<TrustedBroker> ParseTrustedBroker(std::string_view annotation);

}  // namespace portcullis::agent

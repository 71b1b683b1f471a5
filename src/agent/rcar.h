#pragma once

#include <string>

#include "agent/release_claim.h"
#include "agent/tee.h"
#include "base/clock.h"
#include "base/secret_bytes.h"
#include "crypto/jwk.h"
#include "http/client.h"

namespace portcullis::agent {

/// What a broker answered when it did not release.
struct Refusal {
  ReasonCode code;
  std::vector<std::string> reasons;
  std::string request_id;
  bool retryable;
};

/// One round of RCAR 0.4.0: challenge, evidence over it and over the key, attestation, unsealing.
class RcarClient {
 public:
  RcarClient(http::Client& client, Tee& tee, const TrustedBroker& broker, const crypto::EcPrivateKey& tee_key)
      : client_(client), tee_(tee), broker_(broker), tee_key_(tee_key) {}

  /// The model key. Errors carry the broker's code; `refusal` then has what it said, where it said anything.
  /// SignatureInvalid where the answer is not from the broker that init-data names.
  Result<SecretBytes> Attest(std::optional<Refusal>& refusal);

 private:
  struct Session {
    std::string nonce, cookie;
  };
  Result<Session> Authenticate(std::optional<Refusal>& refusal);
  Result<SecretBytes> Unseal(const codec::Json& reply, const std::string& nonce) const;

  http::Client& client_;
  Tee& tee_;
  const TrustedBroker& broker_;
  const crypto::EcPrivateKey& tee_key_;
};

/// SHA-384(JCS{additional-evidence: "", nonce, tee-pubkey}) and 16 zero bytes (kbs-protocol.md 2.1).
ReportData ReportDataFor(std::string_view nonce, const codec::Json& tee_pubkey);

}  // namespace portcullis::agent

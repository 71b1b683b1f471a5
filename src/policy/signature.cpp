#include "crypto/jose.h"
#include "policy/policy.h"

namespace portcullis::policy {
namespace {

// Each one costs a verification: who needs more authorities than this has another problem.
constexpr std::size_t kMaxSignatures = 8;

}  // namespace

Result<> VerifySignature(const codec::Json& document, const std::vector<std::string>& signatures,
                         const crypto::EcPublicKey& authority) {
  if (signatures.empty())
    return Error{ReasonCode::kPolicySignatureInvalid, "the policy is not signed", "signatures"};
  if (signatures.size() > kMaxSignatures)
    return Error{ReasonCode::kPolicySignatureInvalid, "a policy has at most 8 signatures", "signatures"};

  const std::string canonical = codec::ToCanonicalText(document);
  const std::string thumbprint = authority.Thumbprint();
  bool only_others = true;
  for (const std::string& signature : signatures) {
    const auto key_id = crypto::JwsKeyId(signature);
    if (key_id && *key_id != thumbprint) continue;
    only_others = false;
    if (key_id && crypto::VerifyDetachedJws(authority, kPolicyJwsType, signature, AsBytes(canonical)))
      return Done{};
  }
  if (only_others)
    return Error{ReasonCode::kPolicyAuthorityMismatch,
                 "every signature is by another authority than the key's", "signatures"};
  return Error{ReasonCode::kPolicySignatureInvalid,
               "no signature of the authority verifies over this document", "signatures"};
}

std::string SignPolicy(const codec::Json& document, const crypto::EcPrivateKey& authority) {
  const std::string canonical = codec::ToCanonicalText(document);
  return crypto::SignDetachedJws(authority, kPolicyJwsType, AsBytes(canonical));
}

}  // namespace portcullis::policy

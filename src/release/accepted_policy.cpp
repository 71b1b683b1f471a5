#include "release/accepted_policy.h"

#include "crypto/jwk.h"

namespace portcullis::release {
namespace {

using codec::Json;

Error Altered(std::string where) {
  return Error{ReasonCode::kPolicySignatureInvalid, "the stored policy is not the one that was accepted",
               std::move(where)};
}

/// That one of the row's signatures over the document is by the authority that the row names. Whether the
/// model key is this authority's is compared with the key itself, which opens beside its own authority only.
Result<> VerifySigned(const PolicyRow& row, const AcceptedPolicy& accepted) {
  const auto authority = TRY(crypto::EcPublicKey::FromSpki(row.authority_key));
  if (authority.Thumbprint() != row.authority)
    return Error{ReasonCode::kPolicySignatureInvalid, "the authority has another key"};
  return policy::VerifySignature(accepted.document, accepted.signatures, authority);
}

}  // namespace

Result<std::shared_ptr<const AcceptedPolicy>> VerifyAccepted(const std::string& namespace_name,
                                                             const std::string& name, const PolicyRow& row) {
  auto accepted = std::make_shared<AcceptedPolicy>();
  accepted->authority = row.authority;
  auto document = codec::ParseJson(row.document);
  const auto signatures = codec::ParseJson(row.signatures);
  if (!document || !signatures || !signatures->is_array()) return Altered("not JSON");
  accepted->document = *std::move(document);
  for (const Json& item : *signatures->if_array())
    accepted->signatures.push_back(item.if_string() != nullptr ? *item.if_string() : "");
  if (const auto signed_by = VerifySigned(row, *accepted); !signed_by)
    return Altered(signed_by.error().ToString());

  accepted->policy = TRY(policy::ParsePolicy(accepted->document));
  const policy::Policy& policy = accepted->policy;
  if (crypto::DigestText(policy.digest) != row.digest || policy.revision != row.revision)
    return Altered("digest or revision are another document's");
  // The same authority's policy of another name is signed just as well.
  if (policy.namespace_name != namespace_name || policy.name != name)
    return Altered("another policy's document");
  return std::shared_ptr<const AcceptedPolicy>(std::move(accepted));
}

}  // namespace portcullis::release

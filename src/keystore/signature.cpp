#include "keystore/signature.h"

#include "crypto/digest.h"

namespace portcullis::keystore {
namespace {

/// What the authority states: these wrapped bytes are this version of this key.
std::string StatementOf(const KeyVersionId& id, std::string_view wrapped) {
  return codec::ToCanonicalText(
      codec::Json::Object({{"namespace", id.namespace_name},
                           {"name", id.name},
                           {"resource", id.resource},
                           {"version", id.version},
                           {"wrapped", crypto::DigestText(crypto::Sha256(AsBytes(wrapped)))}}));
}

}  // namespace

std::string SignWrappedKey(const KeyVersionId& id, std::string_view wrapped,
                           const crypto::EcPrivateKey& authority) {
  const std::string statement = StatementOf(id, wrapped);
  return crypto::SignDetachedJws(authority, kModelKeyJwsType, AsBytes(statement));
}

Result<> VerifyWrappedKey(const ModelKey& key, const ModelKey::Version& version) {
  const auto key_id = crypto::JwsKeyId(version.signature);
  if (key_id && *key_id != key.authority.Thumbprint())
    return Error{ReasonCode::kPolicyAuthorityMismatch,
                 "the version is signed by another authority than the key's", "signature"};
  const std::string statement =
      StatementOf({key.namespace_name, key.name, key.resource, version.version}, version.wrapped);
  if (!key_id ||
      !crypto::VerifyDetachedJws(key.authority, kModelKeyJwsType, version.signature, AsBytes(statement)))
    return Error{ReasonCode::kKeySignatureInvalid,
                 "the authority did not sign these bytes as this version of this key", "signature"};
  return Done{};
}

}  // namespace portcullis::keystore

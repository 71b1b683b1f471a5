#include "keystore/wrap.h"

#include "keystore/signature.h"

namespace portcullis::keystore {
namespace {

constexpr std::string_view kAuthority = "authority";
constexpr std::string_view kNamespace = "namespace";
constexpr std::string_view kName = "name";
constexpr std::string_view kResource = "resource";
constexpr std::string_view kVersion = "version";

/// The header is the AAD, so once the JWE has opened these are its maker's words.
Result<> CheckHeader(const codec::Json& header, const ModelKey& key, const ModelKey::Version& version) {
  if (header.TextAt({kAuthority}) != key.authority.Thumbprint())
    return Error{ReasonCode::kPolicyAuthorityMismatch, "the model key was wrapped for another authority"};
  if (header.TextAt({kNamespace}) != key.namespace_name)
    return Error{ReasonCode::kKeyUnavailable, "the model key was wrapped for another namespace"};
  if (header.TextAt({kName}) != key.name)
    return Error{ReasonCode::kKeyUnavailable, "the model key was wrapped under another name"};
  if (header.TextAt({kResource}) != key.resource)
    return Error{ReasonCode::kKeyUnavailable, "the model key was wrapped for another resource"};
  const codec::Json* wrapped_version = header.Find(kVersion);
  if (wrapped_version == nullptr || wrapped_version->if_int64() != version.version)
    return Error{ReasonCode::kKeyUnavailable, "the model key was wrapped for another version"};
  return Done{};
}

}  // namespace

ModelKey::Version WrapModelKey(const SecretBytes& key, const crypto::EcPublicKey& broker,
                               const KeyVersionId& id, const crypto::EcPrivateKey& authority,
                               Random& random) {
  const codec::JsonObject header{{std::string(kAuthority), authority.public_key().Thumbprint()},
                                 {std::string(kNamespace), id.namespace_name},
                                 {std::string(kName), id.name},
                                 {std::string(kResource), id.resource},
                                 {std::string(kVersion), id.version}};
  std::string wrapped = crypto::EncryptJwe(broker, key, random, header).ToCompact();
  std::string signature = SignWrappedKey(id, wrapped, authority);
  return {.version = id.version, .wrapped = std::move(wrapped), .signature = std::move(signature)};
}

Result<SecretBytes> UnwrapModelKey(const ModelKey& key, const ModelKey::Version& version,
                                   const crypto::EcPrivateKey& broker) {
  // First: what a stranger encrypted is not worth opening.
  TRY(VerifyWrappedKey(key, version));
  const auto jwe = crypto::Jwe::FromCompact(version.wrapped);
  if (!jwe) return Error{ReasonCode::kKeyUnavailable, "the wrapped model key is not a compact JWE"};
  SecretBytes plaintext = TRY(crypto::DecryptJwe(broker, *jwe));
  const auto header = jwe->Header();
  if (!header) return Error{ReasonCode::kKeyUnavailable, "the wrapped model key has no readable header"};
  TRY(CheckHeader(*header, key, version));
  if (plaintext.size() < kMinModelKeyBytes || plaintext.size() > kMaxModelKeyBytes)
    return Error{ReasonCode::kKeyUnavailable, "the model key is shorter or longer than allowed"};
  return plaintext;
}

}  // namespace portcullis::keystore

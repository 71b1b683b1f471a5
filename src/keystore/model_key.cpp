#include <algorithm>

#include "keystore/keystore.h"

namespace portcullis::keystore {
namespace {

Error Malformed(StaticText text, std::string_view place) {
  return {ReasonCode::kRequestMalformed, text, std::string(place)};
}

constexpr bool IsWordCharacter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/// [A-Za-z0-9_-][A-Za-z0-9_.-]*: no segment is "." or "..", and none needs escaping in a URL.
bool IsSegment(std::string_view text) {
  return !text.empty() && text.size() <= kMaxResourceSegment && IsWordCharacter(text.front()) &&
         std::ranges::all_of(text, [](char c) { return IsWordCharacter(c) || c == '.'; });
}

/// A name of a Kubernetes object: RFC 1123 subdomain.
bool IsObjectName(std::string_view text) {
  const auto lower_or_digit = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !text.empty() && text.size() <= 253 && lower_or_digit(text.front()) && lower_or_digit(text.back()) &&
         std::ranges::all_of(text, [&](char c) { return lower_or_digit(c) || c == '-' || c == '.'; });
}

Result<> CheckResource(std::string_view resource, std::string_view namespace_name) {
  const std::size_t first = resource.find('/');
  const std::size_t second = first == std::string_view::npos ? first : resource.find('/', first + 1);
  if (second == std::string_view::npos)
    return Malformed("a resource is <namespace>/<type>/<tag>", "resource");
  const std::string_view owner = resource.substr(0, first);
  if (!IsSegment(owner) || !IsSegment(resource.substr(first + 1, second - first - 1)) ||
      !IsSegment(resource.substr(second + 1)))
    return Malformed("a segment of the resource holds a character that is not allowed", "resource");
  // Else one tenant could take the paths of another.
  if (owner != namespace_name) return Malformed("a resource starts with the key's own namespace", "resource");
  return Done{};
}

Result<ModelKey::Version> ParseVersion(const codec::Json& value) {
  auto in = TRY(codec::ObjectReader::Open(value));
  const auto number = TRY(in.Integer("version", 1, kMaxVersion));
  auto wrapped = TRY(in.Text("wrapped", crypto::kMaxJoseBytes));
  auto signature = TRY(in.Text("signature", kMaxKeySignatureBytes));
  TRY(in.Finish());
  return ModelKey::Version{
      .version = number, .wrapped = std::move(wrapped), .signature = std::move(signature)};
}

Result<std::vector<ModelKey::Version>> ParseVersions(const codec::JsonArray& items) {
  std::vector<ModelKey::Version> versions;
  for (std::size_t i = 0; i < items.size(); ++i)
    versions.push_back(TRY_AT("[" + std::to_string(i) + "]", ParseVersion(items[i])));
  if (versions.empty()) return Malformed("there is no version", "");
  std::ranges::sort(versions, {}, &ModelKey::Version::version);
  if (std::ranges::adjacent_find(versions, {}, &ModelKey::Version::version) != versions.end())
    return Malformed("a version is there twice", "");
  return versions;
}

}  // namespace

Result<ModelKey> ParseModelKey(std::string namespace_name, std::string name, const codec::Json& spec) {
  if (!IsObjectName(namespace_name)) return Malformed("not a name of a Kubernetes object", "namespace");
  if (!IsObjectName(name)) return Malformed("not a name of a Kubernetes object", "name");
  auto in = TRY(codec::ObjectReader::Open(spec));
  auto authority = crypto::EcPublicKey::FromJwk(*TRY(in.Object("authority")));
  if (!authority) return Malformed("the authority is not an EC public key as JWK", "authority");
  std::string resource = TRY(in.Text("resource", 3 * kMaxResourceSegment + 2));
  TRY(CheckResource(resource, namespace_name));
  auto versions = TRY_AT("versions", ParseVersions(*TRY(in.Array("versions", kMaxVersions))));
  TRY(in.Finish());
  return ModelKey{.namespace_name = std::move(namespace_name),
                  .name = std::move(name),
                  .authority = std::move(*authority),
                  .resource = std::move(resource),
                  .versions = std::move(versions)};
}

}  // namespace portcullis::keystore

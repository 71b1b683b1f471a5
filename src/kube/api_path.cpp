#include "kube/api_path.h"

#include <algorithm>

namespace portcullis::kube {
namespace {

constexpr std::size_t kMaxName = 253;  // RFC 1123 subdomain

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

/// A name goes into the path as it is, so it may hold nothing that means something there.
Result<> CheckName(std::string_view name) {
  const bool safe = !name.empty() && name.size() <= kMaxName && name.front() != '.' &&
                    std::all_of(name.begin(), name.end(), IsUnreserved);
  if (!safe) return Error{ReasonCode::kRequestMalformed, "not a name of a Kubernetes object", Quoted(name)};
  return Done{};
}

void AppendEncoded(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : text) {
    if (IsUnreserved(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
}

}  // namespace

Result<std::string> CollectionPath(const Resource& resource, std::string_view namespace_name) {
  std::string path = resource.group.empty() ? "/api/" : "/apis/" + std::string(resource.group) + "/";
  path += resource.version;
  if (!namespace_name.empty()) {
    TRY_AT("namespace", CheckName(namespace_name));
    path += "/namespaces/";
    path += namespace_name;
  }
  path += '/';
  path += resource.plural;
  return path;
}

Result<std::string> ObjectPath(const Resource& resource, const ObjectKey& key, std::string_view subresource) {
  std::string path = TRY(CollectionPath(resource, key.namespace_name));
  TRY_AT("name", CheckName(key.name));
  path += "/" + key.name;
  if (!subresource.empty()) {
    TRY_AT("subresource", CheckName(subresource));
    path += '/';
    path += subresource;
  }
  return path;
}

std::string QueryText(const Query& query) {
  std::string out;
  for (const auto& [name, value] : query) {
    out += out.empty() ? '?' : '&';
    AppendEncoded(out, name);
    out += '=';
    AppendEncoded(out, value);
  }
  return out;
}

}  // namespace portcullis::kube

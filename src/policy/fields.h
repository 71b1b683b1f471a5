#pragma once

#include <array>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "codec/json.h"
#include "codec/text.h"

/// How the members of a policy are written. Every defect is PolicyIncomplete, at the member's name and with
/// the value that was found; what the member must be stands in the text.
namespace portcullis::policy {

Error Incomplete(StaticText must, std::string_view name);
Error Incomplete(StaticText must, std::string_view name, std::string_view found);

/// A member that is one of a few words.
template <typename E>
using Choice = std::pair<std::string_view, E>;

template <typename E, std::size_t N>
Result<E> OneOf(codec::ObjectReader& in, std::string_view name, const Choice<E> (&choices)[N],
                StaticText must) {
  const std::string found = TRY(in.Text(name));
  for (const Choice<E>& choice : choices)
    if (choice.first == found) return choice.second;
  return Incomplete(must, name, found);
}

/// A list of hex values of exactly T's length. All zeros is how a report says that there is none, so it is no
/// value to allow.
template <typename T>
Result<std::set<T>> HexSet(codec::ObjectReader& in, std::string_view name, std::size_t max_items,
                           StaticText must) {
  std::set<T> out;
  for (const std::string& text : TRY(in.Texts(name, max_items))) {
    const auto value = codec::FixedFromHex<T>(text);
    if (!value) return Incomplete(must, name, text);
    if (value->IsZero())
      return Incomplete("can't list zeros, which is how a report says that there is none", name, text);
    out.insert(*value);
  }
  return out;
}

/// A number of 0..255.
Result<std::uint8_t> ByteField(codec::ObjectReader& in, std::string_view name);
/// A mask as "0x" and 1 to 16 hex digits.
Result<std::uint64_t> MaskField(codec::ObjectReader& in, std::string_view name);
/// How Kubernetes names objects: an RFC 1123 subdomain; namespaces: a label, without dots.
Result<std::string> NameField(codec::ObjectReader& in, std::string_view name);
Result<std::string> NamespaceField(codec::ObjectReader& in, std::string_view name);
bool IsObjectName(std::string_view text);

/// Numbers of 0..255 with dots between: "1.55.29". False for anything else, leading zeros among it.
bool ParseDotted(std::string_view text, std::span<std::uint8_t> out);
template <std::size_t N>
Result<std::array<std::uint8_t, N>> DottedField(codec::ObjectReader& in, std::string_view name,
                                                StaticText must) {
  const std::string text = TRY(in.Text(name));
  std::array<std::uint8_t, N> out{};
  if (!ParseDotted(text, out)) return Incomplete(must, name, text);
  return out;
}

/// A member that is an object of its own: reads it with `read(ObjectReader&)`, refuses members that `read`
/// did not ask for, and names its place in errors.
template <typename Read>
auto ReadObject(codec::ObjectReader& in, std::string_view name, Read read)
    -> decltype(read(std::declval<codec::ObjectReader&>())) {
  const codec::Json* value = TRY(in.Object(name));
  codec::ObjectReader inner = TRY_AT(name, codec::ObjectReader::Open(*value, ReasonCode::kPolicyIncomplete));
  auto out = TRY_AT(name, read(inner));
  TRY_AT(name, inner.Finish());
  return out;
}

/// A member that is a list of objects: 1..max_items of them.
template <typename T, typename Read>
Result<std::vector<T>> ReadObjects(codec::ObjectReader& in, std::string_view name, std::size_t max_items,
                                   Read read) {
  const codec::JsonArray* items = TRY(in.Array(name, max_items));
  if (items->empty()) return Incomplete("must have at least one item; an empty list allows nothing", name);
  std::vector<T> out;
  for (std::size_t i = 0; i < items->size(); ++i) {
    const std::string place = std::string(name) + "[" + std::to_string(i) + "]";
    codec::ObjectReader inner =
        TRY_AT(place, codec::ObjectReader::Open((*items)[i], ReasonCode::kPolicyIncomplete));
    out.push_back(TRY_AT(place, read(inner)));
    TRY_AT(place, inner.Finish());
  }
  return out;
}

}  // namespace portcullis::policy

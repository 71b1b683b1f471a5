#include "policy/fields.h"

#include <algorithm>
#include <charconv>

namespace portcullis::policy {
namespace {

bool IsLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool IsDnsLabel(std::string_view label) {
  return !label.empty() && label.size() <= 63 && IsLowerOrDigit(label.front()) &&
         IsLowerOrDigit(label.back()) &&
         std::ranges::all_of(label, [](char c) { return IsLowerOrDigit(c) || c == '-'; });
}

}  // namespace

Error Incomplete(StaticText must, std::string_view name) {
  return Error{ReasonCode::kPolicyIncomplete, must, std::string(name)};
}

Error Incomplete(StaticText must, std::string_view name, std::string_view found) {
  return Error{ReasonCode::kPolicyIncomplete, must, std::string(name) + " = " + Quoted(found)};
}

Result<std::uint8_t> ByteField(codec::ObjectReader& in, std::string_view name) {
  return static_cast<std::uint8_t>(TRY(in.Integer(name, 0, 255)));
}

Result<std::uint64_t> MaskField(codec::ObjectReader& in, std::string_view name) {
  const std::string text = TRY(in.Text(name));
  std::uint64_t mask = 0;
  const char* const begin = text.data() + 2;
  const char* const end = text.data() + text.size();
  if (text.size() < 3 || text.size() > 18 || !text.starts_with("0x"))
    return Incomplete("must be a mask of 1 to 16 hex digits, such as 0x0", name, text);
  const auto [rest, failure] = std::from_chars(begin, end, mask, 16);
  if (failure != std::errc{} || rest != end)
    return Incomplete("must be a mask of 1 to 16 hex digits, such as 0x0", name, text);
  return mask;
}

bool IsObjectName(std::string_view text) {
  if (text.size() > 253) return false;
  for (;;) {
    const std::size_t dot = text.find('.');
    if (!IsDnsLabel(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

Result<std::string> NameField(codec::ObjectReader& in, std::string_view name) {
  std::string text = TRY(in.Text(name));
  if (!IsObjectName(text))
    return Incomplete("must be a Kubernetes name: lower-case letters, digits, '-' and '.'", name, text);
  return text;
}

Result<std::string> NamespaceField(codec::ObjectReader& in, std::string_view name) {
  std::string text = TRY(in.Text(name));
  if (!IsDnsLabel(text))
    return Incomplete("must be a namespace: at most 63 lower-case letters, digits and '-'", name, text);
  return text;
}

bool ParseDotted(std::string_view text, std::span<std::uint8_t> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t dot = text.find('.');
    const bool last = i + 1 == out.size();
    if (last != (dot == std::string_view::npos)) return false;
    const std::string_view part = text.substr(0, dot);
    // One way to write each version: 1.055 and 1.55 are not two policies.
    if (part.empty() || (part.size() > 1 && part.front() == '0')) return false;
    const auto [rest, failure] = std::from_chars(part.data(), part.data() + part.size(), out[i]);
    if (failure != std::errc{} || rest != part.data() + part.size()) return false;
    if (!last) text.remove_prefix(dot + 1);
  }
  return true;
}

}  // namespace portcullis::policy

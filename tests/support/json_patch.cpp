#include "tests/support/json_patch.h"

#include <algorithm>
#include <charconv>

namespace portcullis::test {
namespace {

Error NoSuchPlace(std::string_view path) {
  return {ReasonCode::kRequestMalformed, "the patch names a place that is not there", std::string(path)};
}

std::string Unescaped(std::string_view token) {
  std::string out;
  for (std::size_t i = 0; i < token.size(); ++i) {
    const bool escape = token[i] == '~' && i + 1 < token.size();
    out += escape ? (token[++i] == '1' ? '/' : '~') : token[i];
  }
  return out;
}

/// The tokens of an RFC 6901 pointer.
std::vector<std::string> Tokens(std::string_view pointer) {
  std::vector<std::string> tokens;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::size_t end = std::min(pointer.find('/'), pointer.size());
    tokens.push_back(Unescaped(pointer.substr(0, end)));
    pointer.remove_prefix(end);
  }
  return tokens;
}

std::optional<std::size_t> Index(const codec::JsonArray& array, const std::string& token) {
  if (token == "-") return array.size();
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
  if (error != std::errc{} || end != token.data() + token.size() || index > array.size()) return std::nullopt;
  return index;
}

codec::Json* Child(codec::Json& parent, const std::string& token) {
  if (codec::JsonArray* array = parent.if_array()) {
    const auto index = Index(*array, token);
    return index && *index < array->size() ? &(*array)[*index] : nullptr;
  }
  return parent.Find(token);
}

codec::Json* Walk(codec::Json& root, const std::vector<std::string>& tokens, std::size_t count) {
  codec::Json* at = &root;
  for (std::size_t i = 0; i < count && at != nullptr; ++i) at = Child(*at, tokens[i]);
  return at;
}

bool Add(codec::Json& parent, const std::string& token, codec::Json value) {
  if (codec::JsonArray* array = parent.if_array()) {
    const auto index = Index(*array, token);
    if (!index) return false;
    array->insert(array->begin() + static_cast<std::ptrdiff_t>(*index), std::move(value));
    return true;
  }
  if (!parent.is_object()) return false;
  parent.Set(token, std::move(value));
  return true;
}

bool Remove(codec::Json& parent, const std::string& token) {
  codec::JsonArray* array = parent.if_array();
  if (array == nullptr) return parent.Erase(token);
  const auto index = Index(*array, token);
  if (!index || *index >= array->size()) return false;
  array->erase(array->begin() + static_cast<std::ptrdiff_t>(*index));
  return true;
}

Result<> ApplyOperation(codec::Json& target, const codec::Json& operation) {
  const std::string_view name = operation.TextAt({"op"}), path = operation.TextAt({"path"});
  const codec::Json* value = operation.Find("value");
  const std::vector<std::string> tokens = Tokens(path);
  if (tokens.empty()) return NoSuchPlace(path);
  codec::Json* parent = Walk(target, tokens, tokens.size() - 1);
  codec::Json* present = Walk(target, tokens, tokens.size());
  if (parent == nullptr) return NoSuchPlace(path);

  if (name == "test") {
    if (present != nullptr && value != nullptr && *present == *value) return Done{};
    return Error{ReasonCode::kRequestMalformed, "a test in the patch fails", std::string(path)};
  }
  if (name == "add" && value != nullptr)
    return Add(*parent, tokens.back(), *value) ? Result<>(Done{}) : NoSuchPlace(path);
  if (name == "remove") return Remove(*parent, tokens.back()) ? Result<>(Done{}) : NoSuchPlace(path);
  if (name == "replace" && value != nullptr && present != nullptr) {
    *present = *value;
    return Done{};
  }
  return NoSuchPlace(path);
}

}  // namespace

void ApplyMergePatch(codec::Json& target, const codec::Json& patch) {
  const codec::JsonObject* members = patch.if_object();
  if (members == nullptr) {
    target = patch;
    return;
  }
  if (!target.is_object()) target = codec::JsonObject();
  for (const auto& [name, value] : *members) {
    if (value.is_null()) {
      target.Erase(name);
    } else {
      ApplyMergePatch(target.Member(name), value);
    }
  }
}

Result<> ApplyJsonPatch(codec::Json& target, const codec::Json& patch) {
  const codec::JsonArray* operations = patch.if_array();
  if (operations == nullptr) return Error{ReasonCode::kRequestMalformed, "a JSON patch is an array"};
  codec::Json changed = target;  // all or nothing
  for (const codec::Json& operation : *operations) TRY(ApplyOperation(changed, operation));
  target = std::move(changed);
  return Done{};
}

}  // namespace portcullis::test

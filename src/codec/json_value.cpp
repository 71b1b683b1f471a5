#include <algorithm>

#include "codec/json.h"
#include "codec/json_number.h"

namespace portcullis::codec {
namespace {

using MemberPtr = const JsonObject::value_type*;

std::vector<MemberPtr> SortedByName(const JsonObject& object) {
  std::vector<MemberPtr> members;
  members.reserve(object.size());
  for (const auto& member : object) members.push_back(&member);
  std::ranges::sort(members, {}, [](MemberPtr member) -> const std::string& { return member->first; });
  return members;
}

bool SameMembers(const JsonObject& a, const JsonObject& b) {
  if (a.size() != b.size()) return false;
  return std::ranges::equal(SortedByName(a), SortedByName(b),
                            [](MemberPtr x, MemberPtr y) { return *x == *y; });
}

}  // namespace

std::optional<std::int64_t> Json::if_int64() const {
  if (const auto* value = std::get_if<std::int64_t>(&value_)) return *value;
  return std::nullopt;  // what fits int64 is held as int64
}

std::optional<std::uint64_t> Json::if_uint64() const {
  if (const auto* value = std::get_if<std::uint64_t>(&value_)) return *value;
  const auto* value = std::get_if<std::int64_t>(&value_);
  if (value != nullptr && *value >= 0) return static_cast<std::uint64_t>(*value);
  return std::nullopt;
}

std::optional<double> Json::if_double() const {
  if (const auto* value = std::get_if<double>(&value_)) return *value;
  if (const auto* value = std::get_if<std::int64_t>(&value_)) return static_cast<double>(*value);
  if (const auto* value = std::get_if<std::uint64_t>(&value_)) return static_cast<double>(*value);
  return std::nullopt;
}

const Json* Json::Find(std::string_view name) const {
  const JsonObject* object = if_object();
  if (object == nullptr) return nullptr;
  for (const auto& [key, value] : *object)
    if (key == name) return &value;
  return nullptr;
}

Json* Json::Find(std::string_view name) { return const_cast<Json*>(std::as_const(*this).Find(name)); }

const Json* Json::At(std::initializer_list<std::string_view> path) const {
  const Json* value = this;
  for (const std::string_view name : path) {
    value = value->Find(name);
    if (value == nullptr) return nullptr;
  }
  return value;
}

std::string_view Json::TextAt(std::initializer_list<std::string_view> path) const {
  const Json* value = At(path);
  const std::string* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string_view() : *text;
}

Json& Json::Member(std::string_view name) {
  if (Json* found = Find(name)) return *found;
  if (!is_object()) value_ = JsonObject();
  return std::get<JsonObject>(value_).emplace_back(std::string(name), Json()).second;
}

Json& Json::Set(std::string_view name, Json value) {
  Member(name) = std::move(value);
  return *this;
}

bool Json::Erase(std::string_view name) {
  JsonObject* object = if_object();
  return object != nullptr &&
         std::erase_if(*object, [&](const auto& member) { return member.first == name; }) > 0;
}

void Json::Push(Json item) {
  if (!is_array()) value_ = JsonArray();
  std::get<JsonArray>(value_).push_back(std::move(item));
}

bool Json::operator==(const Json& other) const {
  if (is_object() && other.is_object()) return SameMembers(*if_object(), *other.if_object());
  if (value_.index() == other.value_.index()) return value_ == other.value_;
  // The writers spell 1.0 as "1", so a value would not equal its own text read back if kinds of numbers
  // counted. What is one text is one value, and has one digest.
  if (is_number() && other.is_number()) return NumberText(*this) == NumberText(other);
  return false;
}

}  // namespace portcullis::codec

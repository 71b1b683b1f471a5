#include <algorithm>

#include "codec/json.h"

namespace portcullis::codec {
namespace {

Result<std::string> TextOf(const Json& value, ReasonCode code, std::size_t max_length) {
  const std::string* text = value.if_string();
  if (text == nullptr) return Error{code, "must be text"};
  if (text->size() > max_length) return Error{code, "text is too long"};
  // C interfaces would see another, shorter text than we compared.
  if (text->find('\0') != std::string::npos) return Error{code, "text holds a NUL character"};
  return *text;
}

Result<std::int64_t> IntegerOf(const Json& value, ReasonCode code, std::int64_t min, std::int64_t max) {
  if (!value.is_integer()) return Error{code, "must be an integer"};
  const auto integer = value.if_int64();
  if (!integer || *integer < min || *integer > max) return Error{code, "integer is out of range"};
  return *integer;
}

Result<bool> FlagOf(const Json& value, ReasonCode code) {
  const bool* flag = value.if_bool();
  if (flag == nullptr) return Error{code, "must be true or false"};
  return *flag;
}

}  // namespace

Result<ObjectReader> ObjectReader::Open(const Json& value, ReasonCode code) {
  if (!value.is_object()) return Error{code, "must be an object"};
  return ObjectReader(value, code);
}

Result<const Json*> ObjectReader::Any(std::string_view name) {
  seen_.push_back(name);
  const Json* value = value_->Find(name);
  if (value == nullptr) return Error{code_, "is missing"}.At(name);
  return value;
}

const Json* ObjectReader::Optional(std::string_view name) {
  seen_.push_back(name);
  const Json* value = value_->Find(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

Result<std::string> ObjectReader::Text(std::string_view name, std::size_t max_length) {
  const Json* value = TRY(Any(name));
  return TRY_AT(name, TextOf(*value, code_, max_length));
}

Result<std::int64_t> ObjectReader::Integer(std::string_view name, std::int64_t min, std::int64_t max) {
  const Json* value = TRY(Any(name));
  return TRY_AT(name, IntegerOf(*value, code_, min, max));
}

Result<bool> ObjectReader::Flag(std::string_view name) {
  const Json* value = TRY(Any(name));
  return TRY_AT(name, FlagOf(*value, code_));
}

Result<const JsonArray*> ObjectReader::Array(std::string_view name, std::size_t max_items) {
  const Json* value = TRY(Any(name));
  const JsonArray* array = value->if_array();
  if (array == nullptr) return Error{code_, "must be a list"}.At(name);
  if (array->size() > max_items) return Error{code_, "list is too long"}.At(name);
  return array;
}

Result<const Json*> ObjectReader::Object(std::string_view name) {
  const Json* value = TRY(Any(name));
  if (!value->is_object()) return Error{code_, "must be an object"}.At(name);
  return value;
}

Result<std::vector<std::string>> ObjectReader::Texts(std::string_view name, std::size_t max_items,
                                                     std::size_t max_length) {
  const JsonArray* array = TRY(Array(name, max_items));
  std::vector<std::string> out;
  out.reserve(array->size());
  for (const Json& item : *array) {
    const std::string place = std::string(name) + "[" + std::to_string(out.size()) + "]";
    out.push_back(TRY_AT(place, TextOf(item, code_, max_length)));
  }
  return out;
}

Result<std::optional<std::string>> ObjectReader::OptionalText(std::string_view name, std::size_t max_length) {
  const Json* value = Optional(name);
  if (value == nullptr) return std::optional<std::string>();
  return std::optional(TRY_AT(name, TextOf(*value, code_, max_length)));
}

Result<std::optional<std::int64_t>> ObjectReader::OptionalInteger(std::string_view name, std::int64_t min,
                                                                  std::int64_t max) {
  const Json* value = Optional(name);
  if (value == nullptr) return std::optional<std::int64_t>();
  return std::optional(TRY_AT(name, IntegerOf(*value, code_, min, max)));
}

Result<std::optional<bool>> ObjectReader::OptionalFlag(std::string_view name) {
  const Json* value = Optional(name);
  if (value == nullptr) return std::optional<bool>();
  return std::optional(TRY_AT(name, FlagOf(*value, code_)));
}

Result<> ObjectReader::Finish() const {
  for (const auto& [name, value] : *value_->if_object())
    if (std::ranges::find(seen_, name) == seen_.end()) return Error{code_, "unknown member", Quoted(name)};
  return Done{};
}

}  // namespace portcullis::codec

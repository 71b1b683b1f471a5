#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace portcullis::codec {

inline constexpr std::size_t kMaxJsonDepth = 64;
inline constexpr std::size_t kMaxJsonBytes = 4u << 20;  // a page of 500 pods is about 2 MiB
inline constexpr std::size_t kMaxJsonValues = 1u
                                              << 19;  // a value of one byte costs about a hundred in memory

class Json;
struct WrittenMember;
using JsonArray = std::vector<Json>;
/// Members in the order of the text or of insertion; names are unique.
using JsonObject = std::vector<std::pair<std::string, Json>>;

/// A JSON value of our own, so that no library's leniency reaches a decision. Values are plain data: copy,
/// compare, change. Integers are kept exact; a number with fraction or exponent, or outside int64/uint64, is
/// a double.
class Json {
 public:
  Json() = default;                    // null
  Json(std::nullptr_t) {}              // NOLINT: implicit by design, here and below
  Json(bool value) : value_(value) {}  // NOLINT
  template <std::integral T>
  requires(!std::same_as<T, bool>) Json(T value) {  // NOLINT
    if constexpr (std::is_signed_v<T>)
      value_ = static_cast<std::int64_t>(value);
    else if (value <= static_cast<std::uint64_t>(INT64_MAX))
      value_ = static_cast<std::int64_t>(value);
    else
      value_ = static_cast<std::uint64_t>(value);
  }
  Json(double value) : value_(value) {}                         // NOLINT
  Json(std::string value) : value_(std::move(value)) {}         // NOLINT
  Json(std::string_view value) : value_(std::string(value)) {}  // NOLINT
  Json(const char* value) : value_(std::string(value)) {}       // NOLINT
  Json(JsonArray value) : value_(std::move(value)) {}           // NOLINT
  Json(JsonObject value) : value_(std::move(value)) {}          // NOLINT
  static Json Object(std::initializer_list<WrittenMember> members);
  static Json Array(std::initializer_list<Json> items) { return JsonArray(items); }

  bool is_null() const { return value_.index() == 0; }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_integer() const { return value_.index() == 2 || value_.index() == 3; }
  bool is_number() const { return is_integer() || std::holds_alternative<double>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_array() const { return std::holds_alternative<JsonArray>(value_); }
  bool is_object() const { return std::holds_alternative<JsonObject>(value_); }

  // Typed reading without errors: nullptr/nullopt where the type differs.
  const bool* if_bool() const { return std::get_if<bool>(&value_); }
  std::optional<std::int64_t> if_int64() const;    // nullopt for doubles and values above INT64_MAX
  std::optional<std::uint64_t> if_uint64() const;  // nullopt for doubles and negative values
  std::optional<double> if_double() const;         // any number
  const std::string* if_string() const { return std::get_if<std::string>(&value_); }
  const JsonArray* if_array() const { return std::get_if<JsonArray>(&value_); }
  JsonArray* if_array() { return std::get_if<JsonArray>(&value_); }
  const JsonObject* if_object() const { return std::get_if<JsonObject>(&value_); }
  JsonObject* if_object() { return std::get_if<JsonObject>(&value_); }

  /// A member of an object; nullptr where absent or where this is no object.
  const Json* Find(std::string_view name) const;
  Json* Find(std::string_view name);
  /// Walks members: At({"metadata","labels","app"}). nullptr where the way breaks off.
  const Json* At(std::initializer_list<std::string_view> path) const;
  /// The text at a path, or "" where there is none: for reading what the API server has validated.
  std::string_view TextAt(std::initializer_list<std::string_view> path) const;

  /// The member, made (as null) where it is missing; a non-object becomes an object.
  Json& Member(std::string_view name);
  Json& Set(std::string_view name, Json value);  // returns *this
  bool Erase(std::string_view name);
  void Push(Json item);  // a non-array becomes an array

  /// Deep equality; objects compare without order, numbers of different kinds by their text (1 equals 1.0).
  bool operator==(const Json& other) const;

 private:
  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, JsonArray, JsonObject>
      value_;
};

/// A member as Json::Object() is given it. The elements of an initializer_list are const, and copying them
/// would copy whole trees; each is made for the one call, so that call may take what is in it.
struct WrittenMember {
  WrittenMember(std::string its_name, Json its_value)
      : name(std::move(its_name)), value(std::move(its_value)) {}
  mutable std::string name;
  mutable Json value;
};

inline Json Json::Object(std::initializer_list<WrittenMember> members) {
  JsonObject out;
  out.reserve(members.size());
  for (const WrittenMember& member : members)
    out.emplace_back(std::move(member.name), std::move(member.value));
  return out;
}

/// What outside bytes may look like.
struct JsonLimits {
  std::size_t max_bytes = kMaxJsonBytes;
  std::size_t max_depth = kMaxJsonDepth;  // 128 at most
  std::size_t max_values = kMaxJsonValues;
};

/// The Error's text where a text holds more than max_values.
inline constexpr StaticText kTooManyJsonValues = "JSON has too many values";

/// Parses exactly one RFC 8259 text. Stricter than the RFC: UTF-8 must be valid and without BOM, member names
/// unique (also by escapes), no lone surrogates, no number beyond a double, limits kept. RequestMalformed,
/// with the reason and mostly the offset, otherwise.
Result<Json> ParseJson(std::string_view text, JsonLimits limits = {});

// All three write numbers as ECMAScript does (integers whole, NaN and infinities as null) and always valid
// UTF-8: a byte that is none becomes U+FFFD. That is for texts; names of members are valid UTF-8 as given, or
// two of them might become one.
/// Compact text, members in their order.
std::string ToText(const Json& value);
/// Indented by two spaces, for people.
std::string ToPrettyText(const Json& value);
/// RFC 8785 (JCS): members sorted by UTF-16 code units, ECMAScript numbers.
std::string ToCanonicalText(const Json& value);

/// Writes one compact text straight down, for documents that would be large as values first: names and values
/// in turn, as the grammar has them. Texts and numbers are written as above.
class JsonWriter {
 public:
  JsonWriter& BeginObject() { return Begin('{'); }
  JsonWriter& EndObject() { return End('}'); }
  JsonWriter& BeginArray() { return Begin('['); }
  JsonWriter& EndArray() { return End(']'); }
  JsonWriter& Name(std::string_view name);
  JsonWriter& Text(std::string_view text);
  JsonWriter& Value(const Json& value);
  /// A value that is JSON text already.
  JsonWriter& Written(std::string_view json);
  /// A member whose value is a text.
  JsonWriter& Member(std::string_view name, std::string_view text) { return Name(name).Text(text); }

  std::string Take() && { return std::move(out_); }

 private:
  JsonWriter& Begin(char bracket);
  JsonWriter& End(char bracket);
  void Separate();

  std::string out_;
  bool follows_ = false;  // a comma is due before what comes next
};

/// Reads a JSON object field by field, in code that reads straight down; each error names the field.
/// Finish() refuses members that nobody asked for, so that a misspelt field is an error and not silence.
class ObjectReader {
 public:
  /// `code` is what a defect is called here (RequestMalformed, PolicyIncomplete, ...). The object must
  /// outlive it.
  static Result<ObjectReader> Open(const Json& value, ReasonCode code = ReasonCode::kRequestMalformed);

  // Required members. Error: `code`, at the member's name. Lengths are in bytes; text never holds U+0000.
  Result<std::string> Text(std::string_view name, std::size_t max_length = 4096);
  Result<std::int64_t> Integer(std::string_view name, std::int64_t min, std::int64_t max);
  Result<bool> Flag(std::string_view name);
  Result<const Json*> Any(std::string_view name);
  Result<const JsonArray*> Array(std::string_view name, std::size_t max_items);
  Result<const Json*> Object(std::string_view name);
  Result<std::vector<std::string>> Texts(std::string_view name, std::size_t max_items,
                                         std::size_t max_length = 4096);
  // Optional members: nullptr/nullopt where absent (JSON null counts as absent), Error where of another type.
  const Json* Optional(std::string_view name);
  Result<std::optional<std::string>> OptionalText(std::string_view name, std::size_t max_length = 4096);
  Result<std::optional<std::int64_t>> OptionalInteger(std::string_view name, std::int64_t min,
                                                      std::int64_t max);
  Result<std::optional<bool>> OptionalFlag(std::string_view name);

  /// Every member was asked for; the first other one is the error.
  Result<> Finish() const;

 private:
  ObjectReader(const Json& value, ReasonCode code) : value_(&value), code_(code) {}
  const Json* value_;
  ReasonCode code_;
  std::vector<std::string_view> seen_;
};

/// YAML of our own files (configuration, policies on a desk) as JSON: one document, no anchors, aliases, tags
/// or duplicate keys; plain scalars by YAML 1.2 core schema (true/false, null, integers, floats), quoted ones
/// text. At most 1 MiB, depth as JSON. Never for network input. ConfigurationInvalid, with line and column,
/// otherwise.
Result<Json> ParseYaml(std::string_view text);
/// Block-style YAML of a value.
std::string ToYaml(const Json& value);

}  // namespace portcullis::codec

#include <algorithm>
#include <cmath>

#include "codec/json.h"
#include "codec/quoted_text.h"
#include "codec/utf8.h"
#include "codec/yaml_scalar.h"

namespace portcullis::codec {
namespace {

constexpr std::size_t kMaxSimpleKey = 1000;  // YAML 1.2 section 7.4.2 has 1024 characters

/// Whether a text can stand as a literal block (|): several lines of printable characters, where neither
/// indentation nor the end would need an indicator.
bool FitsBlock(std::string_view text) {
  if (!text.ends_with('\n') || text.ends_with("\n\n") || text.size() < 2) return false;
  if (text.front() == ' ' || text.front() == '\n' || text.front() == '\t') return false;
  if (text.find("\n ") == 0 || text.find(" \n") != std::string_view::npos) return false;
  return IsValidUtf8(text) &&
         std::ranges::all_of(text, [](char c) { return (c >= 0x20 && c < 0x7F) || c == '\n'; });
}

/// As in JSON, but digits alone are an integer to a reader of YAML, and that has 64 bits.
std::string YamlNumber(const Json& number) {
  std::string text = ToText(number);
  const bool is_digits = text.find_first_not_of("-0123456789") == std::string::npos;
  if (is_digits && !number.is_integer() && std::fabs(*number.if_double()) >= 9223372036854775808.0)
    text += ".0";
  return text;
}

std::string PlainOrQuoted(const std::string& text) {
  return IsSafePlainScalar(text) ? text : QuotedText(text);
}

class Writer {
 public:
  std::string Write(const Json& value) && {
    Block(value, 0, false);
    return std::move(out_);
  }

 private:
  static bool IsNested(const Json& value) {
    const JsonArray* array = value.if_array();
    const JsonObject* object = value.if_object();
    return (array != nullptr && !array->empty()) || (object != nullptr && !object->empty());
  }

  void Indent(std::size_t depth) { out_.append(depth * 2, ' '); }

  /// A value that starts a line, or (after "- ") stands where a line at `depth` would.
  void Block(const Json& value, std::size_t depth, bool indented) {
    if (const JsonArray* array = value.if_array(); array != nullptr && !array->empty())
      Sequence(*array, depth, indented);
    else if (const JsonObject* object = value.if_object(); object != nullptr && !object->empty())
      Mapping(*object, depth, indented);
    else
      Scalar(value, depth);
  }

  void Sequence(const JsonArray& array, std::size_t depth, bool indented) {
    for (const Json& item : array) {
      if (!std::exchange(indented, false)) Indent(depth);
      out_ += "- ";
      Block(item, depth + 1, true);
    }
  }

  void Mapping(const JsonObject& object, std::size_t depth, bool indented) {
    for (const auto& [name, value] : object) {
      if (!std::exchange(indented, false)) Indent(depth);
      const std::string key = PlainOrQuoted(name);
      if (key.size() > kMaxSimpleKey) {
        out_ += "? " + key + "\n";
        Indent(depth);
      } else {
        out_ += key;
      }
      out_ += ':';
      if (IsNested(value)) {
        out_ += '\n';
        Block(value, depth + 1, false);
      } else {
        out_ += ' ';
        Scalar(value, depth + 1);
      }
    }
  }

  /// The rest of a line, with the lines of a literal block after it.
  void Scalar(const Json& value, std::size_t depth) {
    const std::string* text = value.if_string();
    if (value.is_number())
      out_ += YamlNumber(value) + "\n";
    else if (text == nullptr)
      out_ += ToText(value) + "\n";  // null, true, [] and {} are the same in YAML
    else if (FitsBlock(*text))
      Literal(*text, depth);
    else
      out_ += PlainOrQuoted(*text) + "\n";
  }

  void Literal(std::string_view text, std::size_t depth) {
    out_ += "|\n";
    while (!text.empty()) {
      const auto end = text.find('\n');
      if (end > 0) Indent(std::max<std::size_t>(depth, 1));
      out_.append(text.substr(0, end)).append("\n");
      text.remove_prefix(end + 1);
    }
  }

  std::string out_;
};

}  // namespace

std::string ToYaml(const Json& value) { return Writer().Write(value); }

}  // namespace portcullis::codec

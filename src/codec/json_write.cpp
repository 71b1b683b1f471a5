#include <algorithm>

#include "codec/json.h"
#include "codec/json_number.h"
#include "codec/utf8.h"

namespace portcullis::codec {
namespace {

constexpr bool NeedsEscape(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

void AppendEscaped(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"':
    case '\\':
      out += '\\';
      out += c;
      break;
    case '\b':
      out += "\\b";
      break;
    case '\t':
      out += "\\t";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\f':
      out += "\\f";
      break;
    case '\r':
      out += "\\r";
      break;
    default:
      out += "\\u00";
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[static_cast<unsigned char>(c) & 15];
  }
}

/// Escapes what RFC 8785 section 3.2.2.2 has escaped, and nothing else. What stands between is taken whole:
/// most texts here are base64 of kilobytes.
void AppendText(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const std::size_t plain = PlainPrefix(text);
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    if (NeedsEscape(text.front()))
      AppendEscaped(out, text.front());
    else
      out += text.front();  // of a character beyond ASCII
    text.remove_prefix(1);
  }
  out += '"';
}

/// Order of UTF-16 code units, told from UTF-8 bytes. It differs from the bytes' own in one place: characters
/// above U+FFFF (lead F0 and up) are surrogates D800..DFFF there, and so stand before U+E000..U+FFFF (leads
/// EE and EF).
int Weight(char c) {
  const int byte = static_cast<unsigned char>(c);
  return byte == 0xEE || byte == 0xEF ? byte + 0x20 : byte;
}
bool Utf16Less(std::string_view a, std::string_view b) {
  return std::ranges::lexicographical_compare(a, b, {}, Weight, Weight);
}

using MemberPtr = const JsonObject::value_type*;
enum class Order { kAsIs, kCanonical };

std::vector<MemberPtr> MembersOf(const JsonObject& object, Order order) {
  std::vector<MemberPtr> members;
  members.reserve(object.size());
  for (const auto& member : object) members.push_back(&member);
  if (order == Order::kCanonical)
    std::ranges::sort(members, [](MemberPtr a, MemberPtr b) { return Utf16Less(a->first, b->first); });
  return members;
}

/// Always valid UTF-8: a byte that is none becomes U+FFFD.
void AppendValidText(std::string& out, std::string_view text) {
  if (PlainPrefix(text) == text.size())
    (out += '"').append(text) += '"';
  else if (IsValidUtf8(text))
    AppendText(out, text);
  else
    AppendText(out, RepairedUtf8(text));
}

class Writer {
 public:
  Writer(std::string& out, Order order, bool pretty) : order_(order), pretty_(pretty), out_(out) {}

  void Value(const Json& value) {
    if (const bool* flag = value.if_bool())
      out_ += *flag ? "true" : "false";
    else if (const std::string* text = value.if_string())
      AppendValidText(out_, *text);
    else if (const JsonArray* array = value.if_array())
      Array(*array);
    else if (const JsonObject* object = value.if_object())
      Object(*object);
    else if (value.is_number())
      out_ += NumberText(value);
    else
      out_ += "null";
  }

 private:
  void Array(const JsonArray& array) {
    out_ += '[';
    ++depth_;
    for (const Json& item : array) {
      if (&item != &array.front()) out_ += ',';
      NewLine();
      Value(item);
    }
    --depth_;
    if (!array.empty()) NewLine();
    out_ += ']';
  }

  void Object(const JsonObject& object) {
    out_ += '{';
    ++depth_;
    bool first = true;
    for (const MemberPtr member : MembersOf(object, order_)) {
      if (!std::exchange(first, false)) out_ += ',';
      NewLine();
      AppendValidText(out_, member->first);
      out_ += pretty_ ? ": " : ":";
      Value(member->second);
    }
    --depth_;
    if (!object.empty()) NewLine();
    out_ += '}';
  }

  void NewLine() {
    if (pretty_) out_.append("\n").append(depth_ * 2, ' ');
  }

  Order order_;
  bool pretty_;
  std::size_t depth_ = 0;
  std::string& out_;
};

std::string Written(const Json& value, Order order, bool pretty) {
  std::string out;
  Writer(out, order, pretty).Value(value);
  return out;
}

}  // namespace

std::string ToText(const Json& value) { return Written(value, Order::kAsIs, false); }

std::string ToPrettyText(const Json& value) { return Written(value, Order::kAsIs, true); }

std::string ToCanonicalText(const Json& value) { return Written(value, Order::kCanonical, false); }

void JsonWriter::Separate() {
  if (std::exchange(follows_, true)) out_ += ',';
}

JsonWriter& JsonWriter::Begin(char bracket) {
  Separate();
  out_ += bracket;
  follows_ = false;
  return *this;
}

JsonWriter& JsonWriter::End(char bracket) {
  out_ += bracket;
  follows_ = true;
  return *this;
}

JsonWriter& JsonWriter::Name(std::string_view name) {
  Separate();
  AppendValidText(out_, name);
  out_ += ':';
  follows_ = false;
  return *this;
}

JsonWriter& JsonWriter::Text(std::string_view text) {
  Separate();
  AppendValidText(out_, text);
  return *this;
}

JsonWriter& JsonWriter::Value(const Json& value) {
  Separate();
  Writer(out_, Order::kAsIs, false).Value(value);
  return *this;
}

JsonWriter& JsonWriter::Written(std::string_view json) {
  Separate();
  out_ += json;
  return *this;
}

}  // namespace portcullis::codec

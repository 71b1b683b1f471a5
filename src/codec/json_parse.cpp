#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "codec/json.h"
#include "codec/utf8.h"

namespace portcullis::codec {
namespace {

constexpr std::size_t kDeepest = 128;  // what a caller may ask for: each level is some frames of stack
constexpr std::size_t kComparedDirectly = 16;  // members up to here; more are sorted to be compared

Error Malformed(StaticText what) { return Error{ReasonCode::kRequestMalformed, what}; }

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

Result<> CheckBytes(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) return Malformed("JSON is too large");
  if (text.starts_with("\xEF\xBB\xBF")) return Malformed("JSON starts with a byte order mark");
  const std::size_t valid = ValidUtf8Prefix(text);
  if (valid != text.size())
    return Error{ReasonCode::kRequestMalformed, "JSON is not valid UTF-8", "offset " + std::to_string(valid)};
  return Done{};
}

Result<> RefuseMember(std::string_view name) {
  return Error{ReasonCode::kRequestMalformed, "JSON object has a member twice", Quoted(name)};
}

/// Which of two members counts is where two parsers disagree: neither does.
Result<> RefuseDuplicates(const JsonObject& object) {
  if (object.size() <= kComparedDirectly) {
    for (std::size_t i = 1; i < object.size(); ++i)
      for (std::size_t k = 0; k < i; ++k)
        if (object[i].first == object[k].first) return RefuseMember(object[i].first);
    return Done{};
  }
  std::vector<std::string_view> names;
  names.reserve(object.size());
  for (const auto& [name, value] : object) names.push_back(name);
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice != names.end()) return RefuseMember(*twice);
  return Done{};
}

void AppendUtf8(std::string& out, unsigned point) {
  const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80 | ((point >> shift) & 0x3F)); };
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0 | (point >> 6));
    tail(0);
  } else if (point < 0x10000) {
    out += static_cast<char>(0xE0 | (point >> 12));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0 | (point >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

/// Reads valid UTF-8 by the grammar of RFC 8259, section by section, and builds the values on its way.
class Parser {
 public:
  Parser(std::string_view text, const JsonLimits& limits) : text_(text), limits_(limits) {}

  Result<Json> Text() {
    SkipSpace();
    Json value = TRY(Value(0));
    SkipSpace();
    if (!AtEnd()) return Fail("text follows the JSON value");
    return value;
  }

 private:
  bool AtEnd() const { return at_ == text_.size(); }
  char Peek() const {
    return AtEnd() ? '\0' : text_[at_];
  }  // a real NUL is nowhere allowed, so it can stand for the end
  bool Skip(char c) {
    if (AtEnd() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void SkipSpace() {
    while (!AtEnd() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
  }
  Error Fail(StaticText what) const {
    return Error{ReasonCode::kRequestMalformed, what, "offset " + std::to_string(at_)};
  }

  Result<Json> Value(std::size_t depth) {
    if (++values_ > limits_.max_values) return Fail(kTooManyJsonValues);
    switch (Peek()) {
      case '{':
        return Object(depth + 1);
      case '[':
        return Array(depth + 1);
      case '"':
        return Json(TRY(String()));
      case 't':
        return Word("true", true);
      case 'f':
        return Word("false", false);
      case 'n':
        return Word("null", nullptr);
      default:
        return Number();
    }
  }

  Result<Json> Word(std::string_view word, Json value) {
    if (!text_.substr(at_).starts_with(word)) return Fail("not a JSON value");
    at_ += word.size();
    return value;
  }

  Result<Json> Array(std::size_t depth) {
    if (depth > limits_.max_depth) return Fail("JSON is nested too deep");
    ++at_;
    SkipSpace();
    JsonArray out;
    if (Skip(']')) return Json(std::move(out));
    while (true) {
      out.push_back(TRY(Value(depth)));
      SkipSpace();
      if (Skip(']')) return Json(std::move(out));
      if (!Skip(',')) return Fail("expected ',' or ']'");
      SkipSpace();
    }
  }

  Result<Json> Object(std::size_t depth) {
    if (depth > limits_.max_depth) return Fail("JSON is nested too deep");
    ++at_;
    SkipSpace();
    JsonObject out;
    if (Skip('}')) return Json(std::move(out));
    while (true) {
      std::string name = TRY(String());
      SkipSpace();
      if (!Skip(':')) return Fail("expected ':'");
      SkipSpace();
      out.emplace_back(std::move(name), TRY(Value(depth)));
      SkipSpace();
      if (Skip('}')) break;
      if (!Skip(',')) return Fail("expected ',' or '}'");
      SkipSpace();
    }
    TRY(RefuseDuplicates(out));
    return Json(std::move(out));
  }

  Result<std::string> String() {
    if (!Skip('"')) return Fail("expected text in quotes");
    std::string out;
    while (!AtEnd()) {
      const std::string_view plain = text_.substr(at_, PlainPrefix(text_.substr(at_)));
      out += plain;
      at_ += plain.size();
      if (AtEnd()) break;
      const char c = text_[at_];
      if (c == '"') return ++at_, std::move(out);
      if (static_cast<unsigned char>(c) < 0x20) return Fail("control character in text");
      if (c == '\\') {
        TRY(Escape(out));
      } else {
        out += c;  // of a character beyond ASCII
        ++at_;
      }
    }
    return Fail("text does not end");
  }

  Result<> Escape(std::string& out) {
    static constexpr std::string_view kLetters = "\"\\/bfnrt", kMeant = "\"\\/\b\f\n\r\t";
    ++at_;
    if (Peek() == 'u') return UnicodeEscape(out);
    const std::size_t which = AtEnd() ? std::string_view::npos : kLetters.find(text_[at_]);
    if (which == std::string_view::npos) return Fail("unknown escape in text");
    out += kMeant[which];
    ++at_;
    return Done{};
  }

  /// After the backslash: a character of the basic plane, or a whole surrogate pair.
  Result<> UnicodeEscape(std::string& out) {
    const unsigned first = TRY(CodeUnit());
    if (first < 0xD800 || first > 0xDFFF) return AppendUtf8(out, first), Done{};
    if (first > 0xDBFF || !Skip('\\') || Peek() != 'u') return Fail("lone surrogate in text");
    const unsigned second = TRY(CodeUnit());
    if (second < 0xDC00 || second > 0xDFFF) return Fail("lone surrogate in text");
    AppendUtf8(out, 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00));
    return Done{};
  }

  Result<unsigned> CodeUnit() {
    ++at_;
    unsigned value = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = Peek();
      if (IsDigit(c))
        value = value * 16 + static_cast<unsigned>(c - '0');
      else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
        value = value * 16 + static_cast<unsigned>((c | 0x20) - 'a' + 10);
      else
        return Fail("\\u needs four hex digits");
    }
    return value;
  }

  Result<Json> Number() {
    const std::size_t start = at_;
    Skip('-');
    if (!Skip('0')) TRY(Digits());
    const std::size_t whole = at_;
    if (Skip('.')) TRY(Digits());
    if (Skip('e') || Skip('E')) {
      if (!Skip('+')) Skip('-');
      TRY(Digits());
    }
    const std::string_view number = text_.substr(start, at_ - start);
    if (at_ == whole)
      if (const auto integer = Integer(number)) return *integer;
    // Not from_chars: that does not tell a number too large from one too small, which is zero.
    const double value = std::strtod(std::string(number).c_str(), nullptr);
    if (!std::isfinite(value)) return Malformed("JSON number is too large for a double");
    return Json(value);
  }

  /// nullopt where neither int64 nor uint64 holds it.
  static std::optional<Json> Integer(std::string_view digits) {
    std::int64_t integer = 0;
    std::uint64_t large = 0;
    const char* const end = digits.data() + digits.size();
    if (std::from_chars(digits.data(), end, integer).ec == std::errc()) return Json(integer);
    if (digits.front() != '-' && std::from_chars(digits.data(), end, large).ec == std::errc())
      return Json(large);
    return std::nullopt;
  }

  Result<> Digits() {
    if (!IsDigit(Peek())) return Fail("not a JSON value");
    while (IsDigit(Peek())) ++at_;
    return Done{};
  }

  std::string_view text_;
  const JsonLimits& limits_;
  std::size_t at_ = 0;
  std::size_t values_ = 0;
};

}  // namespace

Result<Json> ParseJson(std::string_view text, JsonLimits limits) {
  limits.max_depth = std::min(limits.max_depth, kDeepest);
  TRY(CheckBytes(text, limits));
  return Parser(text, limits).Text();
}

}  // namespace portcullis::codec

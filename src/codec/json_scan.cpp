#include "codec/json_scan.h"

#include "codec/utf8.h"

namespace portcullis::codec {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

class Scanner {
 public:
  Scanner(std::string_view text, const JsonLimits& limits) : text_(text), limits_(limits) {}

  Result<> Text() {
    SkipSpace();
    TRY(Value(0));
    SkipSpace();
    if (!AtEnd()) return Fail("text follows the JSON value");
    return Done{};
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

  Result<> Value(std::size_t depth) {
    if (++values_ > limits_.max_values) return Fail("JSON has too many values");
    switch (Peek()) {
      case '{':
        return Object(depth + 1);
      case '[':
        return Array(depth + 1);
      case '"':
        return String();
      case 't':
        return Word("true");
      case 'f':
        return Word("false");
      case 'n':
        return Word("null");
      default:
        return Number();
    }
  }

  Result<> Word(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return Fail("not a JSON value");
    at_ += word.size();
    return Done{};
  }

  Result<> Array(std::size_t depth) {
    if (depth > limits_.max_depth) return Fail("JSON is nested too deep");
    ++at_;
    SkipSpace();
    if (Skip(']')) return Done{};
    while (true) {
      TRY(Value(depth));
      SkipSpace();
      if (Skip(']')) return Done{};
      if (!Skip(',')) return Fail("expected ',' or ']'");
      SkipSpace();
    }
  }

  Result<> Object(std::size_t depth) {
    if (depth > limits_.max_depth) return Fail("JSON is nested too deep");
    ++at_;
    SkipSpace();
    if (Skip('}')) return Done{};
    while (true) {
      TRY(String());
      SkipSpace();
      if (!Skip(':')) return Fail("expected ':'");
      SkipSpace();
      TRY(Value(depth));
      SkipSpace();
      if (Skip('}')) return Done{};
      if (!Skip(',')) return Fail("expected ',' or '}'");
      SkipSpace();
    }
  }

  Result<> String() {
    if (!Skip('"')) return Fail("expected text in quotes");
    while (!AtEnd()) {
      at_ += PlainPrefix(text_.substr(at_));
      if (AtEnd()) break;
      const auto c = static_cast<unsigned char>(text_[at_]);
      if (c == '"') return ++at_, Done{};
      if (c < 0x20) return Fail("control character in text");
      if (c == '\\')
        TRY(Escape());
      else
        ++at_;
    }
    return Fail("text does not end");
  }

  Result<> Escape() {
    ++at_;
    if (Peek() == 'u') return UnicodeEscape();
    if (AtEnd() || std::string_view("\"\\/bfnrt").find(text_[at_]) == std::string_view::npos)
      return Fail("unknown escape in text");
    ++at_;
    return Done{};
  }

  /// After the backslash: a character of the basic plane, or a whole surrogate pair.
  Result<> UnicodeEscape() {
    const unsigned first = TRY(CodeUnit());
    if (first < 0xD800 || first > 0xDFFF) return Done{};
    if (first > 0xDBFF || !Skip('\\') || Peek() != 'u') return Fail("lone surrogate in text");
    const unsigned second = TRY(CodeUnit());
    if (second < 0xDC00 || second > 0xDFFF) return Fail("lone surrogate in text");
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

  Result<> Number() {
    Skip('-');
    if (!Skip('0')) TRY(Digits());
    if (Skip('.')) TRY(Digits());
    if (Skip('e') || Skip('E')) {
      if (!Skip('+')) Skip('-');
      TRY(Digits());
    }
    return Done{};
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

Result<> ScanJson(std::string_view text, const JsonLimits& limits) { return Scanner(text, limits).Text(); }

}  // namespace portcullis::codec

#include "codec/init_data_shape.h"

#include <algorithm>

namespace portcullis::codec {
namespace {

constexpr std::size_t kMaxKeyParts = 2;

class Walker {
 public:
  explicit Walker(std::string_view toml) : rest_(toml) {}

  Result<> Document() {
    while (true) {
      rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size()));
      if (rest_.empty()) return Done{};
      if (rest_.front() == '#')
        SkipLine();
      else
        TRY(Expression());
    }
  }

 private:
  static Error Fail(StaticText what) { return Error{ReasonCode::kRequestMalformed, what}; }

  bool Skip(std::string_view token) {
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  void SkipSpace() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size())); }
  void SkipLine() { rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size())); }

  /// [table] or key = text.
  Result<> Expression() {
    if (rest_.starts_with("[[")) return Fail("init-data holds a list of tables");
    const bool header = Skip("[");
    TRY(Key());
    if (header) return Skip("]") ? Result<>(Done{}) : Fail("init-data has a table name that does not end");
    if (!Skip("=")) return Fail("init-data has a key without a value");
    SkipSpace();
    return Text();
  }

  Result<> Key() {
    for (std::size_t parts = 1; parts <= kMaxKeyParts; ++parts) {
      SkipSpace();
      TRY(KeyPart());
      SkipSpace();
      if (!Skip(".")) return Done{};
    }
    return Fail("init-data has a key of too many parts");
  }

  Result<> KeyPart() {
    if (rest_.starts_with('"') || rest_.starts_with('\'')) return Quoted(rest_.front());
    constexpr std::string_view kBare = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    const std::size_t length = std::min(rest_.find_first_not_of(kBare), rest_.size());
    if (length == 0) return Fail("init-data has a key that is no TOML");
    rest_.remove_prefix(length);
    return Done{};
  }

  Result<> Text() {
    if (Skip("\"\"\"")) return Multiline("\"\"\"");
    if (Skip("'''")) return Multiline("'''");
    if (rest_.starts_with('"') || rest_.starts_with('\'')) return Quoted(rest_.front());
    return Fail("init-data has an entry that is no text");
  }

  /// Text on one line. Only between double quotes does a backslash escape.
  Result<> Quoted(char quote) {
    std::size_t at = 1;
    while (at < rest_.size() && rest_[at] != quote && rest_[at] != '\n')
      at += rest_[at] == '\\' && quote == '"' ? 2 : 1;
    if (at >= rest_.size() || rest_[at] != quote) return Fail("init-data has text that does not end");
    rest_.remove_prefix(at + 1);
    return Done{};
  }

  /// Text up to three quotes; up to two more right before them belong to the text.
  Result<> Multiline(std::string_view quotes) {
    std::size_t at = 0;
    while (at < rest_.size() && !rest_.substr(at).starts_with(quotes))
      at += rest_[at] == '\\' && quotes[0] == '"' ? 2 : 1;
    if (at >= rest_.size()) return Fail("init-data has text that does not end");
    rest_.remove_prefix(at + quotes.size());
    for (int more = 0; more < 2; ++more) Skip(quotes.substr(0, 1));
    return Done{};
  }

  std::string_view rest_;
};

}  // namespace

Result<> CheckInitDataShape(std::string_view toml) { return Walker(toml).Document(); }

}  // namespace portcullis::codec

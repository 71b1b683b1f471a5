#include "codec/quoted_text.h"

#include "codec/json.h"

namespace portcullis::codec {
namespace {

/// How a character at the start of `text` is escaped, with its length; nothing where it stands as it is.
struct Escape {
  std::size_t length;
  std::string text;
};

std::optional<Escape> EscapeAt(std::string_view text) {
  if (text.front() == '\x7F') return Escape{1, "\\u007f"};
  if (text.starts_with("\xE2\x80\xA8")) return Escape{3, "\\u2028"};
  if (text.starts_with("\xE2\x80\xA9")) return Escape{3, "\\u2029"};
  if (text.starts_with("\xEF\xBB\xBF")) return Escape{3, "\\ufeff"};
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto second = text.size() > 1 ? static_cast<unsigned char>(text[1]) : 0;
  if (text.front() == '\xC2' && second <= 0x9F)  // U+0080 to U+009F
    return Escape{2, std::string("\\u00") + kHex[second >> 4] + kHex[second & 15]};
  return std::nullopt;
}

}  // namespace

std::string QuotedText(std::string_view text) {
  const std::string json = ToText(Json(text));
  std::string out;
  for (std::string_view rest = json; !rest.empty();) {
    if (const auto escape = EscapeAt(rest)) {
      out += escape->text;
      rest.remove_prefix(escape->length);
    } else {
      out += rest.front();
      rest.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace portcullis::codec

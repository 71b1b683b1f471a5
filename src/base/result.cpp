#include "base/result.h"

namespace portcullis {

std::string Quoted(std::string_view untrusted) {
  constexpr std::size_t kMaxQuoted = 200;
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : untrusted) {
    if (out.size() > kMaxQuoted) return out + "...\"";
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte >= 0x20 && byte < 0x7f) {
      out += c;
    } else {
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out + "\"";
}

std::string Error::ToString() const {
  std::string out(NameOf(code));
  out += ": ";
  out += text.view();
  if (!where.empty()) out += " (" + where + ")";
  return out;
}

}  // namespace portcullis

#include "codec/text.h"

namespace portcullis::codec {
namespace {

constexpr std::size_t kLineLength = 64;  // RFC 7468 section 2
constexpr std::size_t kMaxLabel = 64;
constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";

std::string_view WithoutTrailingSpace(std::string_view line) {
  const auto last = line.find_last_not_of(" \t\r");
  return last == std::string_view::npos ? "" : line.substr(0, last + 1);
}

/// Cuts the first line off `rest`.
std::string_view TakeLine(std::string_view& rest) {
  const auto end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
  return WithoutTrailingSpace(line);
}

Result<std::string_view> LabelOf(std::string_view line, std::string_view prefix) {
  line.remove_prefix(prefix.size());
  if (!line.ends_with(kDashes))
    return Error{ReasonCode::kRequestMalformed, "a PEM boundary does not end in dashes"};
  line.remove_suffix(kDashes.size());
  const bool plain =
      line.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ") == std::string_view::npos;
  if (line.empty() || line.size() > kMaxLabel || !plain)
    return Error{ReasonCode::kRequestMalformed, "a PEM label is not upper-case words"};
  return line;
}

/// The rest of a block whose BEGIN line was read.
Result<PemBlock> TakeBlock(std::string_view label, std::string_view& rest) {
  std::string digits;
  while (!rest.empty()) {
    const std::string_view line = TakeLine(rest);
    if (!line.starts_with(kDashes)) {
      digits += line;
      continue;
    }
    if (!line.starts_with(kEnd) || TRY(LabelOf(line, kEnd)) != label)
      return Error{ReasonCode::kRequestMalformed, "a PEM block ends with another boundary"};
    ByteBuffer der = TRY(DecodeBase64(digits));
    if (der.empty()) return Error{ReasonCode::kRequestMalformed, "a PEM block is empty"};
    return PemBlock{std::string(label), std::move(der)};
  }
  return Error{ReasonCode::kRequestMalformed, "a PEM block does not end"};
}

}  // namespace

Result<std::vector<PemBlock>> ParsePem(std::string_view text, std::size_t max_blocks) {
  std::vector<PemBlock> blocks;
  while (!text.empty()) {
    const std::string_view line = TakeLine(text);
    // An END without its BEGIN is half a block: skipping it would silently shorten a chain.
    if (line.starts_with(kEnd)) return Error{ReasonCode::kRequestMalformed, "a PEM block does not begin"};
    if (!line.starts_with(kBegin)) continue;
    if (blocks.size() == max_blocks) return Error{ReasonCode::kRequestMalformed, "too many PEM blocks"};
    const std::string_view label = TRY(LabelOf(line, kBegin));
    blocks.push_back(TRY(TakeBlock(label, text)));
  }
  if (blocks.empty()) return Error{ReasonCode::kRequestMalformed, "no PEM block"};
  return blocks;
}

std::string EncodePem(std::string_view label, Bytes der) {
  const std::string digits = EncodeBase64(der);
  std::string out;
  out.append(kBegin).append(label).append(kDashes).append("\n");
  for (std::size_t at = 0; at < digits.size(); at += kLineLength)
    out.append(digits, at, kLineLength).append("\n");
  out.append(kEnd).append(label).append(kDashes).append("\n");
  return out;
}

}  // namespace portcullis::codec

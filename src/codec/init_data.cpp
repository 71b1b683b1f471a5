#include "codec/init_data.h"

#include <toml++/toml.h>

#include <algorithm>

#include "codec/init_data_shape.h"
#include "codec/quoted_text.h"
#include "codec/text.h"
#include "codec/utf8.h"

namespace portcullis::codec {
namespace {

constexpr std::string_view kVersion = "0.1.0";
constexpr std::string_view kAlgorithms[] = {"sha256", "sha384", "sha512"};

Error Malformed(StaticText what, std::string where = {}) {
  return Error{ReasonCode::kRequestMalformed, what, std::move(where)};
}

Result<toml::table> ReadToml(std::string_view text) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& failure) {
    return Malformed("init-data is not TOML", "line " + std::to_string(failure.source().begin.line));
  } catch (const std::exception&) {
    return Malformed("init-data is not TOML");
  }
}

Result<std::string> TextAt(const toml::table& table, std::string_view name) {
  const auto* text = table[name].as_string();
  if (text == nullptr) return Malformed("is missing or no text").At(name);
  return text->get();
}

Result<std::map<std::string, std::string>> EntriesOf(const toml::table& table) {
  const toml::table* data = table["data"].as_table();
  if (data == nullptr) return Malformed("init-data has no table of data");
  if (data->size() > kMaxInitDataEntries) return Malformed("init-data has too many entries");
  std::map<std::string, std::string> entries;
  for (const auto& [name, value] : *data) {
    const auto* text = value.as_string();
    if (text == nullptr) return Malformed("init-data has an entry that is no text", Quoted(name.str()));
    entries.emplace(name.str(), text->get());
  }
  return entries;
}

/// Lines as they are between ''', where TOML allows it: people read and diff these.
std::string TomlText(std::string_view text) {
  const bool literal =
      text.find('\n') != std::string_view::npos && text.find("'''") == std::string_view::npos &&
      !text.ends_with('\'') && IsValidUtf8(text) && std::ranges::all_of(text, [](char c) {
        return (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F) || c == '\n' || c == '\t';
      });
  if (!literal) return QuotedText(text);
  return "'''\n" + std::string(text) + "'''";  // TOML drops the first line break
}

}  // namespace

Result<InitData> ParseInitData(std::string_view text) {
  if (text.size() > kMaxInitDataBytes) return Malformed("init-data is too large");
  if (!IsValidUtf8(text)) return Malformed("init-data is not valid UTF-8");
  TRY(CheckInitDataShape(text));
  const toml::table table = TRY(ReadToml(text));

  for (const auto& [name, value] : table)
    if (name != "version" && name != "algorithm" && name != "data")
      return Malformed("init-data has an unknown member", Quoted(name.str()));
  if (TRY(TextAt(table, "version")) != kVersion) return Malformed("init-data has a version other than 0.1.0");
  const std::string algorithm = TRY(TextAt(table, "algorithm"));
  if (std::ranges::find(kAlgorithms, algorithm) == std::end(kAlgorithms))
    return Malformed("init-data has an algorithm other than sha256, sha384 and sha512", Quoted(algorithm));
  auto entries = TRY(EntriesOf(table));
  return InitData{std::string(text), algorithm, std::move(entries)};
}

InitData MakeInitData(const std::map<std::string, std::string>& data) {
  InitData out{"", "sha256", data};
  out.text.append("version = \"").append(kVersion).append("\"\nalgorithm = \"sha256\"\n\n[data]\n");
  for (const auto& [name, text] : data) out.text += QuotedText(name) + " = " + TomlText(text) + "\n";
  return out;
}

std::string EncodeInitDataAnnotation(const InitData& init_data) {
  return EncodeBase64(Gzip(AsBytes(init_data.text)));
}

Result<InitData> DecodeInitDataAnnotation(std::string_view annotation) {
  if (annotation.size() > kMaxInitDataBytes * 2) return Malformed("init-data annotation is too large");
  const ByteBuffer compressed = TRY(DecodeBase64(annotation));
  const ByteBuffer text = TRY(Gunzip(compressed, kMaxInitDataBytes));
  return ParseInitData(AsText(text));
}

}  // namespace portcullis::codec

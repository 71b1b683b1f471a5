#include "kube/watch_line.h"

#include <array>
#include <optional>

#include "kube/status.h"

namespace portcullis::kube {
namespace {

constexpr std::array<std::pair<WatchType, std::string_view>, 4> kTypes{{
    {WatchType::kAdded, "ADDED"},
    {WatchType::kModified, "MODIFIED"},
    {WatchType::kDeleted, "DELETED"},
    {WatchType::kBookmark, "BOOKMARK"},
}};

std::optional<WatchType> TypeNamed(std::string_view name) {
  for (const auto& [type, text] : kTypes)
    if (text == name) return type;
  return std::nullopt;
}

Error NotAnEvent() { return {ReasonCode::kUnreachable, "a line of the watch is no event"}; }

}  // namespace

std::string_view NameOf(WatchType type) {
  for (const auto& [known, text] : kTypes)
    if (known == type) return text;
  return "";
}

Result<WatchEvent> ParseWatchLine(std::string_view line) {
  auto parsed = codec::ParseJson(line, {.max_bytes = kMaxWatchLineBytes});
  if (!parsed) return NotAnEvent();
  codec::Json* object = parsed->Find("object");
  if (object == nullptr || !object->is_object()) return NotAnEvent();

  const std::string_view name = parsed->TextAt({"type"});
  if (name == "ERROR") {
    const codec::Json* code = object->Find("code");
    const auto status = code == nullptr ? std::nullopt : code->if_int64();
    return ErrorFor(status && *status >= 400 && *status < 600 ? static_cast<int>(*status) : 500, *object);
  }
  const auto type = TypeNamed(name);
  const std::string version(object->TextAt({"metadata", "resourceVersion"}));
  if (!type || version.empty()) return NotAnEvent();
  return WatchEvent{*type, version, std::move(*object)};
}

}  // namespace portcullis::kube

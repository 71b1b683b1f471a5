#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "codec/json.h"
#include "codec/utf8.h"
#include "codec/yaml_scalar.h"

namespace portcullis::codec {
namespace {

constexpr std::size_t kMaxYamlBytes = 1u << 20;

Error Invalid(StaticText what, std::string where = {}) {
  return Error{ReasonCode::kConfigurationInvalid, what, std::move(where)};
}

std::string Place(const YAML::Mark& mark) {
  return "line " + std::to_string(mark.line + 1) + ", column " + std::to_string(mark.column + 1);
}

/// Builds a value from the library's events, which show what its own tree hides: anchors, tags and
/// duplicates. Events can't fail, so the first defect is kept and all after it is ignored.
class TreeBuilder final : public YAML::EventHandler {
 public:
  Result<Json> Take() && {
    if (failure_) return *std::move(failure_);
    return std::move(root_);
  }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (!Accepts(mark, kPlain, anchor)) return;
    if (WantsKey()) return Fail("a member name must be text", mark);
    Add(Json());
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { Fail("aliases are not allowed", mark); }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (!Accepts(mark, tag, anchor)) return;
    if (WantsKey()) return OpenMember(mark, value);
    if (tag == kQuoted) return Add(Json(value));
    auto resolved = ResolvePlainScalar(value);
    if (!resolved) return Fail(resolved.error().text, mark);
    Add(*std::move(resolved));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, JsonArray());
  }
  void OnSequenceEnd() override { Close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, JsonObject());
  }
  void OnMapEnd() override { Close(); }

 private:
  // What the library calls scalars without a tag.
  static constexpr const char* kPlain = "?";
  static constexpr const char* kQuoted = "!";

  struct Level {
    Json value;
    std::optional<std::string> name = {};  // of the member whose value comes next
    std::set<std::string> names = {};
  };

  void Fail(StaticText what, const YAML::Mark& mark) {
    if (!failure_) failure_ = Invalid(what, Place(mark));
  }

  bool Accepts(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) Fail("anchors are not allowed", mark);
    if (tag != kPlain && tag != kQuoted) Fail("tags are not allowed", mark);
    return !failure_;
  }

  bool WantsKey() const {
    return !levels_.empty() && levels_.back().value.is_object() && !levels_.back().name;
  }

  void OpenMember(const YAML::Mark& mark, const std::string& name) {
    Level& level = levels_.back();
    if (!level.names.insert(name).second) return Fail("a member stands twice", mark);
    level.name = name;
  }

  void Open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Json empty) {
    if (!Accepts(mark, tag, anchor)) return;
    if (WantsKey()) return Fail("a member name must be text", mark);
    if (levels_.size() == kMaxJsonDepth) return Fail("nested too deep", mark);
    levels_.push_back({std::move(empty)});
  }

  void Close() {
    if (failure_) return;
    Json done = std::move(levels_.back().value);
    levels_.pop_back();
    Add(std::move(done));
  }

  void Add(Json value) {
    if (levels_.empty()) {
      root_ = std::move(value);
      return;
    }
    Level& level = levels_.back();
    if (JsonArray* array = level.value.if_array()) {
      array->push_back(std::move(value));
    } else {
      level.value.if_object()->emplace_back(*std::move(level.name), std::move(value));
      level.name.reset();
    }
  }

  std::vector<Level> levels_;
  Json root_;
  std::optional<Error> failure_;
};

/// The library takes some control characters for the end of the text and would ignore all that follows.
bool HasControlCharacters(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7F;
  });
}

}  // namespace

Result<Json> ParseYaml(std::string_view text) {
  if (text.size() > kMaxYamlBytes) return Invalid("YAML is larger than 1 MiB");
  if (!IsValidUtf8(text))
    return Invalid("YAML is not valid UTF-8", "offset " + std::to_string(ValidUtf8Prefix(text)));
  if (text.starts_with("\xEF\xBB\xBF")) return Invalid("YAML starts with a byte order mark");
  if (HasControlCharacters(text)) return Invalid("YAML holds a control character");

  TreeBuilder builder;
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) return Invalid("YAML holds no document");
    TreeBuilder ignored;
    if (parser.HandleNextDocument(ignored)) return Invalid("YAML holds more than one document");
  } catch (const YAML::Exception& failure) {
    return Invalid("not YAML", Place(failure.mark));
  } catch (const std::exception&) {
    return Invalid("not YAML");
  }
  return std::move(builder).Take();
}

}  // namespace portcullis::codec

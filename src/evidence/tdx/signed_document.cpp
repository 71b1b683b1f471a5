#include "evidence/tdx/signed_document.h"

#include "codec/text.h"

namespace portcullis::tdx {
namespace {

constexpr codec::JsonLimits kLimits{.max_bytes = kMaxDocumentBytes, .max_depth = 16, .max_values = 1u << 16};
constexpr std::string_view kSpace = " \t\r\n";
constexpr std::size_t kSignatureDigits = 128;
constexpr std::size_t kDateSize = 20;

DocumentError FormatError(StaticText text) {
  return {DocumentDefect::kFormat, Error{ReasonCode::kEvidenceMalformed, text}};
}

/// Walks text that is known to be JSON, so the grammar alone says where a value ends.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  /// The character after white space, taken; 0 at the end.
  char Take() {
    const std::size_t at = rest_.find_first_not_of(kSpace);
    if (at == std::string_view::npos) return 0;
    const char c = rest_[at];
    rest_ = rest_.substr(at + 1);
    return c;
  }
  /// The value that starts after white space, as it stands there.
  std::string_view TakeValue() {
    const std::size_t at = rest_.find_first_not_of(kSpace);
    if (at == std::string_view::npos) return {};
    rest_ = rest_.substr(at);
    const std::size_t size = SizeOfValue();
    const std::string_view value = rest_.substr(0, size);
    rest_ = rest_.substr(size);
    return value;
  }

 private:
  /// Braces and brackets count outside strings only; in a string a backslash takes the next character along.
  std::size_t SizeOfValue() const {
    std::size_t depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < rest_.size(); ++i) {
      const char c = rest_[i];
      if (in_string) {
        if (c == '\\')
          ++i;
        else if (c == '"')
          in_string = false;
        if (!in_string && depth == 0) return i + 1;
        continue;
      }
      if (c == '"') in_string = true;
      if (c == '{' || c == '[') ++depth;
      if (depth == 0 && !in_string && (c == ',' || c == '}')) return i;  // behind a number or a literal
      if ((c == '}' || c == ']') && --depth == 0) return i + 1;
    }
    return rest_.size();
  }

  std::string_view rest_;
};

std::string_view Unquoted(std::string_view text) {
  return text.size() >= 2 && text.front() == '"' ? text.substr(1, text.size() - 2) : std::string_view();
}

}  // namespace

std::variant<SignedDocument, DocumentError> CutDocument(std::string_view text, std::string_view member) {
  const auto whole = codec::ParseJson(text, kLimits);
  if (!whole) {
    // The parser has one text for this, at whatever level.
    const bool twice = whole.error().text.view() == "JSON object has a member twice";
    return DocumentError{twice ? DocumentDefect::kDuplicateKey : DocumentDefect::kFormat,
                         Error{ReasonCode::kEvidenceMalformed, whole.error().text, whole.error().where}};
  }
  if (!whole->is_object() || whole->if_object()->size() != 2)
    return FormatError("document is not an object of two members");

  SignedDocument out;
  Cursor in(text);
  in.Take();  // the brace
  for (int i = 0; i < 2; ++i) {
    const std::string_view name = Unquoted(in.TakeValue());
    in.Take();  // the colon
    const std::string_view value = in.TakeValue();
    in.Take();  // the comma or the brace
    if (name == member && value.starts_with('{'))
      out.object = value;
    else if (name == "signature" && value.starts_with('"'))
      out.signature = Unquoted(value);
  }
  // Names are unique, so that both were found means that there is nothing else.
  if (out.object.empty() || out.signature.data() == nullptr)
    return FormatError("document is not its object and a signature");
  return out;
}

bool DocumentSignedBy(const SignedDocument& document, const crypto::EcPublicKey& key) {
  if (document.signature.size() != kSignatureDigits || key.curve() != crypto::Curve::kP256) return false;
  const auto raw = codec::DecodeHex(document.signature);
  return raw && crypto::VerifyEcdsa(key, AsBytes(document.object), *raw);
}

Result<WallTime> ParseDate(std::string_view text) {
  if (text.size() == kDateSize && text[10] == 'T' && text.back() == 'Z')
    if (const auto time = ParseTimestamp(text)) return *time;
  return Error{ReasonCode::kEvidenceMalformed, "date is not YYYY-MM-DDThh:mm:ssZ"};
}

}  // namespace portcullis::tdx

#include <charconv>

#include "audit/audit.h"
#include "codec/text.h"

namespace portcullis::audit {
namespace {

// C2SP tlog-checkpoint and signed-note.
constexpr std::string_view kSignatureMark = "\xE2\x80\x94 ";  // em dash, space
constexpr std::byte kEd25519Algorithm{0x01};
constexpr std::size_t kKeyIdBytes = 4;
constexpr std::size_t kSignatureBytes = 64;
constexpr std::size_t kMaxNoteBytes = 16 * 1024;
constexpr std::size_t kMaxSignatures = 16;  // ours and its witnesses'

Error Malformed(StaticText text) { return {ReasonCode::kRequestMalformed, text, "checkpoint"}; }

/// SHA-256(name || 0x0A || 0x01 || key)[:4]
ByteBuffer KeyId(std::string_view name, const crypto::Ed25519PublicKey& key) {
  ByteBuffer input = ToBuffer(AsBytes(name));
  input.push_back(std::byte{'\n'});
  input.push_back(kEd25519Algorithm);
  portcullis::Append(input, key.bytes());
  return ToBuffer(crypto::Sha256(input).bytes().first(kKeyIdBytes));
}

/// Cuts a line, which must end, off the front.
Result<std::string_view> TakeLine(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos) return Malformed("a line does not end");
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

Result<std::int64_t> ParseSize(std::string_view text) {
  std::int64_t size = -1;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), size);
  // One spelling only: no sign, no leading zero.
  if (failure != std::errc{} || end != text.data() + text.size() || size < 0 || std::to_string(size) != text)
    return Malformed("the tree size is not a decimal number");
  return size;
}

Result<CheckpointView> ParseText(std::string_view text) {
  const std::string_view origin = TRY(TakeLine(text));
  if (origin.empty()) return Malformed("the origin is empty");
  const std::int64_t size = TRY(ParseSize(TRY_AT("size", TakeLine(text))));
  const ByteBuffer root = TRY_AT("root", codec::DecodeBase64(TRY(TakeLine(text))));
  if (!text.empty()) return Malformed("there are more lines than origin, size and root");
  const auto digest = TRY_AT("root", crypto::Sha256Digest::From(root));
  return CheckpointView{std::string(origin), size, digest};
}

struct SignatureLine {
  std::string_view name;
  ByteBuffer blob;  // key id || signature
};

Result<SignatureLine> ParseSignatureLine(std::string_view line) {
  if (!line.starts_with(kSignatureMark)) return Malformed("a signature line does not start with a dash");
  line.remove_prefix(kSignatureMark.size());
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos || space == 0) return Malformed("a signature line has no name");
  auto blob = TRY(codec::DecodeBase64(line.substr(space + 1)));
  SignatureLine out{line.substr(0, space), std::move(blob)};
  if (out.blob.size() <= kKeyIdBytes) return Malformed("a signature is too short");
  return out;
}

bool IsText(std::string_view note) {
  return std::ranges::none_of(note, [](char c) { return c != '\n' && static_cast<unsigned char>(c) < 0x20; });
}

}  // namespace

std::string MakeCheckpoint(std::string_view origin, std::int64_t size, const crypto::Sha256Digest& root,
                           const SecretBytes& seed) {
  std::string note(origin);
  note += '\n' + std::to_string(size) + '\n' + codec::EncodeBase64(root.bytes()) + '\n';
  ByteBuffer blob = KeyId(origin, crypto::Ed25519PublicOf(seed));
  portcullis::Append(blob, crypto::SignEd25519(seed, AsBytes(note)));
  note += '\n';
  note += kSignatureMark;
  note += origin;
  note += ' ' + codec::EncodeBase64(blob) + '\n';
  return note;
}

Result<CheckpointView> VerifyCheckpoint(std::string_view note, const crypto::Ed25519PublicKey& key) {
  if (note.size() > kMaxNoteBytes || !IsText(note)) return Malformed("it is no signed note");
  const std::size_t blank = note.find("\n\n");
  if (blank == std::string_view::npos) return Malformed("there is no blank line before the signatures");
  const std::string_view text = note.substr(0, blank + 1);
  const CheckpointView view = TRY(ParseText(text));

  const ByteBuffer key_id = KeyId(view.origin, key);
  bool verified = false;
  std::string_view rest = note.substr(blank + 2);
  for (std::size_t count = 0; !rest.empty(); ++count) {
    if (count == kMaxSignatures) return Malformed("there are too many signatures");
    const SignatureLine line = TRY(ParseSignatureLine(TRY_AT("signature", TakeLine(rest))));
    const Bytes blob(line.blob);
    // Other names and keys are witnesses' and for those who know them.
    if (line.name != view.origin || !SameBytes(blob.first(kKeyIdBytes), key_id)) continue;
    const Bytes signature = blob.subspan(kKeyIdBytes);
    if (signature.size() != kSignatureBytes || !crypto::VerifyEd25519(key, AsBytes(text), signature))
      return Error{ReasonCode::kSignatureInvalid, "the checkpoint's signature does not verify"};
    verified = true;
  }
  if (!verified)
    return Error{ReasonCode::kSignatureInvalid, "the checkpoint is not signed by this log's key"};
  return view;
}

}  // namespace portcullis::audit

#include "kube/token_source.h"

#include <memory>

#include "base/log.h"
#include "kube/file.h"

namespace portcullis::kube {
namespace {

constexpr std::chrono::seconds kReadEvery{60};
constexpr std::size_t kMaxTokenBytes =
    16 * 1024;  // tokens are about 1 KiB; bound ones with many claims are larger

bool IsTokenByte(std::byte byte) { return byte > std::byte{0x20} && byte < std::byte{0x7f}; }

// Editors and `echo` end a file with a new line, which no header field may hold.
SecretBytes WithoutTrailingSpace(SecretBytes token) {
  const std::size_t size = token.Expose([](Bytes bytes) {
    while (!bytes.empty() && !IsTokenByte(bytes.back())) bytes = bytes.first(bytes.size() - 1);
    return bytes.size();
  });
  token.ShrinkTo(size);
  return token;
}

}  // namespace

Result<std::unique_ptr<TokenSource>> TokenSource::FromFile(std::string path, const Clock& clock) {
  auto source = std::make_unique<TokenSource>(clock);
  source->path_ = std::move(path);
  TRY(source->Reload());
  return source;
}

std::unique_ptr<TokenSource> TokenSource::Fixed(SecretBytes token, const Clock& clock) {
  auto source = std::make_unique<TokenSource>(clock);
  source->token_ = WithoutTrailingSpace(std::move(token));
  return source;
}

std::string TokenSource::Authorization() {
  const std::lock_guard lock(mutex_);
  if (!path_.empty() && (expired_ || clock_.Steady() - read_at_ >= kReadEvery)) {
    if (const auto reloaded = Reload(); !reloaded)
      Log(LogLevel::kWarning, "the service-account token can't be read again; using the last one",
          {{"error", reloaded.error().ToString()}});
  }
  if (token_.empty()) return "";
  return token_.Expose([](Bytes bytes) { return "Bearer " + ToText(bytes); });
}

void TokenSource::Expire() {
  const std::lock_guard lock(mutex_);
  expired_ = true;
}

Result<> TokenSource::Reload() {
  expired_ = false;
  read_at_ = clock_.Steady();
  SecretBytes token = WithoutTrailingSpace(TRY(ReadSecretFile(path_, kMaxTokenBytes)));
  const bool printable =
      token.Expose([](Bytes bytes) { return std::all_of(bytes.begin(), bytes.end(), IsTokenByte); });
  if (token.empty() || !printable)
    return Error{ReasonCode::kConfigurationInvalid, "the token file holds no token", Quoted(path_)};
  token_ = std::move(token);
  return Done{};
}

}  // namespace portcullis::kube

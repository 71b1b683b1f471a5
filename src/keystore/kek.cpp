#include "crypto/aead.h"
#include "crypto/digest.h"
#include "keystore/kek_file.h"
#include "keystore/keystore.h"

namespace portcullis::keystore {
namespace {

constexpr std::size_t kKekBytes = 32;

}  // namespace

Result<Kek> Kek::FromFile(const std::string& path) {
  SecretBytes key = TRY_AT(Quoted(path), ReadKekFile(path));
  return Kek(std::move(key));
}

Kek Kek::FromBytes(SecretBytes key) {
  if (key.size() != kKekBytes) std::abort();
  return Kek(std::move(key));
}

ByteBuffer Kek::Wrap(const SecretBytes& plaintext, std::string_view context) const {
  crypto::SystemRandom random;
  return plaintext.Expose(
      [&](Bytes bytes) { return crypto::SealAes256Gcm(*key_, bytes, AsBytes(context), random); });
}

Result<SecretBytes> Kek::Unwrap(Bytes wrapped, std::string_view context) const {
  auto plaintext = crypto::OpenAes256Gcm(*key_, wrapped, AsBytes(context));
  if (!plaintext)
    return Error{ReasonCode::kKeyUnavailable,
                 "a wrapped key does not open: the KEK is another one, or the database was altered"};
  return plaintext;
}

SecretBytes Kek::Derive(std::string_view purpose) const {
  return crypto::HkdfSha256(*key_, AsBytes("portcullis-kek-v1"), purpose, kKekBytes);
}

}  // namespace portcullis::keystore

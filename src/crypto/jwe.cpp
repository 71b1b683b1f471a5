#include "codec/text.h"
#include "crypto/gcm.h"
#include "crypto/jose.h"
#include "crypto/key_wrap.h"

namespace portcullis::crypto {
namespace {

constexpr std::string_view kContentEncryption = "A256GCM";

Error Unavailable(StaticText text) { return Error{ReasonCode::kKeyUnavailable, text}; }

/// alg and enc first, the rest in canonical form: the one byte form that clients which parse and re-serialise
/// the header end up with.
std::string HeaderText(const EcPublicKey& ephemeral, const codec::JsonObject& extra) {
  codec::Json rest(extra);
  for (const std::string_view reserved : {"alg", "enc", "epk"}) Require(rest.Find(reserved) == nullptr);
  rest.Set("epk", ephemeral.ToJwk());
  const codec::Json fixed =
      codec::Json::Object({{"alg", kKeyAgreementAlgorithm}, {"enc", kContentEncryption}});
  std::string text = codec::ToText(fixed);
  text.back() = ',';
  return text + codec::ToCanonicalText(rest).substr(1);
}

/// The sender's key, from a header that asks for exactly our algorithms.
Result<EcPublicKey> EphemeralKeyOf(const codec::Json& header) {
  if (header.TextAt({"alg"}) != kKeyAgreementAlgorithm)
    return Unavailable("JWE key algorithm is not allowed");
  if (header.TextAt({"enc"}) != kContentEncryption)
    return Unavailable("JWE content encryption is not allowed");
  for (const std::string_view refused : {"zip", "crit", "apu", "apv"}) {
    if (header.Find(refused) != nullptr)
      return Unavailable("JWE header has a member that is not allowed").At(refused);
  }
  const codec::Json* epk = header.Find("epk");
  if (epk == nullptr) return Unavailable("JWE has no ephemeral key");
  auto key = EcPublicKey::FromJwk(*epk, KeyUse::kEncryption);
  if (!key) return Unavailable("JWE's ephemeral key is not acceptable");
  return std::move(key).value();
}

Result<ByteBuffer> Part(std::string_view text) {
  if (text.size() > kMaxJoseBytes) return Unavailable("JWE part is too long");
  auto bytes = codec::DecodeBase64Url(text);
  if (!bytes) return Unavailable("JWE part is not base64url");
  return std::move(bytes).value();
}

}  // namespace

Jwe EncryptJwe(const EcPublicKey& recipient, const SecretBytes& plaintext, Random& random,
               const codec::JsonObject& extra) {
  const EcPrivateKey ephemeral = EcPrivateKey::Generate(recipient.curve());
  const SecretBytes kek = DeriveKeyEncryptionKey(ephemeral, recipient);
  SecretBytes content_key(kContentKeyBytes);
  content_key.ExposeMutable([&](std::span<std::byte> out) { random.Fill(out); });
  std::array<std::byte, kGcmNonceBytes> nonce;
  random.Fill(nonce);

  Jwe jwe{.protected_text = codec::EncodeBase64Url(AsBytes(HeaderText(ephemeral.public_key(), extra))),
          .encrypted_key = codec::EncodeBase64Url(WrapKey(kek, content_key)),
          .iv = codec::EncodeBase64Url(nonce),
          .ciphertext = {},
          .tag = {}};
  ByteBuffer ciphertext(plaintext.size());
  std::array<std::byte, kGcmTagBytes> tag;
  content_key.Expose([&](Bytes key) {
    plaintext.Expose(
        [&](Bytes text) { EncryptGcm(key, nonce, AsBytes(jwe.protected_text), text, ciphertext, tag); });
  });
  jwe.ciphertext = codec::EncodeBase64Url(ciphertext);
  jwe.tag = codec::EncodeBase64Url(tag);
  return jwe;
}

Result<SecretBytes> DecryptJwe(const EcPrivateKey& recipient, const Jwe& jwe) {
  const auto header = jwe.Header();
  if (!header) return Unavailable("JWE header is malformed");
  const EcPublicKey sender = TRY(EphemeralKeyOf(*header));
  if (sender.curve() != recipient.public_key().curve())
    return Unavailable("JWE is for a key on another curve");
  const ByteBuffer wrapped = TRY(Part(jwe.encrypted_key));
  const ByteBuffer nonce = TRY(Part(jwe.iv));
  const ByteBuffer ciphertext = TRY(Part(jwe.ciphertext));
  const ByteBuffer tag = TRY(Part(jwe.tag));
  if (nonce.size() != kGcmNonceBytes || tag.size() != kGcmTagBytes)
    return Unavailable("JWE iv or tag has the wrong length");

  const SecretBytes kek = DeriveKeyEncryptionKey(recipient, sender);
  const SecretBytes content_key = TRY(UnwrapKey(kek, wrapped));
  SecretBytes plaintext(ciphertext.size());
  const bool authentic = content_key.Expose([&](Bytes key) {
    return plaintext.ExposeMutable([&](std::span<std::byte> out) {
      return DecryptGcm(key, nonce, AsBytes(jwe.protected_text), ciphertext, tag, out);
    });
  });
  if (!authentic) return Unavailable("JWE does not authenticate");
  return plaintext;
}

}  // namespace portcullis::crypto

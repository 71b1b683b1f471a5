#include "crypto/key_wrap.h"

#include "crypto/algorithms.h"
#include "crypto/openssl.h"

namespace portcullis::crypto {
namespace {

using std::string_view_literals::operator""sv;

// One round of the Concat KDF (NIST SP 800-56A 5.8.1) makes 256 bits: counter, Z, OtherInfo.
constexpr auto kRound = "\x00\x00\x00\x01"sv;
constexpr auto kOtherInfo =
    "\x00\x00\x00\x0e"
    "ECDH-ES+A256KW"    // AlgorithmID
    "\x00\x00\x00\x00"  // PartyUInfo
    "\x00\x00\x00\x00"  // PartyVInfo
    "\x00\x00\x01\x00"  // SuppPubInfo: bits
    ""sv;

CipherContextPtr StartWrap(Bytes kek, bool encrypt) {
  CipherContextPtr context(EVP_CIPHER_CTX_new());
  Require(context != nullptr);
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  Require(EVP_CipherInit_ex2(context.get(), Aes256WrapMethod(), Octets(kek), nullptr, encrypt ? 1 : 0,
                             nullptr) == 1);
  return context;
}

}  // namespace

SecretBytes DeriveKeyEncryptionKey(const EcPrivateKey& own, const EcPublicKey& peer) {
  const SecretBytes shared = SharedSecret(own, peer);
  SecretBytes kek(kKeyEncryptionKeyBytes);
  const DigestContextPtr context(EVP_MD_CTX_new());
  Require(context != nullptr && EVP_DigestInit_ex2(context.get(), Sha256Method(), nullptr) == 1);
  Require(EVP_DigestUpdate(context.get(), kRound.data(), kRound.size()) == 1);
  shared.Expose([&](Bytes z) { Require(EVP_DigestUpdate(context.get(), z.data(), z.size()) == 1); });
  Require(EVP_DigestUpdate(context.get(), kOtherInfo.data(), kOtherInfo.size()) == 1);
  kek.ExposeMutable([&](std::span<std::byte> out) {
    Require(EVP_DigestFinal_ex(context.get(), Octets(out), nullptr) == 1);
  });
  return kek;
}

std::array<std::byte, kWrappedKeyBytes> WrapKey(const SecretBytes& kek, const SecretBytes& key) {
  Require(kek.size() == kKeyEncryptionKeyBytes && key.size() == kContentKeyBytes);
  std::array<std::byte, kWrappedKeyBytes> out;
  const CipherContextPtr context = kek.Expose([](Bytes raw) { return StartWrap(raw, true); });
  key.Expose([&](Bytes raw) {
    int size = 0;
    Require(EVP_CipherUpdate(context.get(), Octets(std::span(out)), &size, Octets(raw),
                             IntSize(raw.size())) == 1);
    Require(size == IntSize(out.size()));
  });
  return out;
}

Result<SecretBytes> UnwrapKey(const SecretBytes& kek, Bytes wrapped) {
  Require(kek.size() == kKeyEncryptionKeyBytes);
  if (wrapped.size() != kWrappedKeyBytes)
    return Error{ReasonCode::kKeyUnavailable, "wrapped key has the wrong length"};
  const CipherContextPtr context = kek.Expose([](Bytes raw) { return StartWrap(raw, false); });
  // OpenSSL may use the room of the whole input while it unwraps.
  SecretBytes key(kWrappedKeyBytes);
  const bool intact = key.ExposeMutable([&](std::span<std::byte> out) {
    int size = 0;
    return EVP_CipherUpdate(context.get(), Octets(out), &size, Octets(wrapped), IntSize(wrapped.size())) ==
               1 &&
           size == IntSize(kContentKeyBytes);
  });
  if (!intact) return Error{ReasonCode::kKeyUnavailable, "wrapped key is not for this key, or was changed"};
  key.ShrinkTo(kContentKeyBytes);
  return key;
}

}  // namespace portcullis::crypto

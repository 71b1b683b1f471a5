#include "crypto/gcm.h"

#include "base/secret_bytes.h"
#include "crypto/algorithms.h"
#include "crypto/openssl.h"

namespace portcullis::crypto {
namespace {

enum class Direction : int { kDecrypt = 0, kEncrypt = 1 };

CipherContextPtr Start(Bytes key, Bytes nonce, Bytes aad, Direction direction) {
  Require(key.size() == kGcmKeyBytes && nonce.size() == kGcmNonceBytes);
  CipherContextPtr context(EVP_CIPHER_CTX_new());
  Require(context != nullptr);
  // 96 bits are the method's own nonce length; EVP has no other way to be told by a plain Init.
  Require(EVP_CipherInit_ex2(context.get(), Aes256GcmMethod(), Octets(key), Octets(nonce),
                             static_cast<int>(direction), nullptr) == 1);
  int size = 0;
  if (!aad.empty())
    Require(EVP_CipherUpdate(context.get(), nullptr, &size, Octets(aad), IntSize(aad.size())) == 1);
  return context;
}

void Transform(EVP_CIPHER_CTX* context, Bytes in, std::span<std::byte> out) {
  Require(in.size() == out.size());
  if (in.empty()) return;
  int size = 0;
  Require(EVP_CipherUpdate(context, Octets(out), &size, Octets(in), IntSize(in.size())) == 1);
  Require(size == IntSize(in.size()));
}

}  // namespace

void EncryptGcm(Bytes key, Bytes nonce, Bytes aad, Bytes plaintext, std::span<std::byte> ciphertext,
                std::span<std::byte> tag) {
  Require(tag.size() == kGcmTagBytes);
  const CipherContextPtr context = Start(key, nonce, aad, Direction::kEncrypt);
  Transform(context.get(), plaintext, ciphertext);
  unsigned char rest[EVP_MAX_BLOCK_LENGTH];
  int size = 0;
  Require(EVP_CipherFinal_ex(context.get(), rest, &size) == 1 && size == 0);
  Require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, IntSize(tag.size()), tag.data()) == 1);
}

bool DecryptGcm(Bytes key, Bytes nonce, Bytes aad, Bytes ciphertext, Bytes tag,
                std::span<std::byte> plaintext) {
  if (tag.size() != kGcmTagBytes) return false;
  const CipherContextPtr context = Start(key, nonce, aad, Direction::kDecrypt);
  std::array<std::byte, kGcmTagBytes> expected;
  std::ranges::copy(tag, expected.begin());
  Require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, IntSize(expected.size()),
                              expected.data()) == 1);
  Transform(context.get(), ciphertext, plaintext);
  unsigned char rest[EVP_MAX_BLOCK_LENGTH];
  int size = 0;
  if (EVP_CipherFinal_ex(context.get(), rest, &size) == 1) return true;
  Wipe(plaintext);
  return false;
}

}  // namespace portcullis::crypto

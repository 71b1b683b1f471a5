#include "crypto/algorithms.h"

#include "crypto/openssl.h"

namespace portcullis::crypto {
namespace {

EVP_MD* FetchDigest(const char* name) {
  EVP_MD* method = EVP_MD_fetch(nullptr, name, nullptr);
  Require(method != nullptr);
  return method;
}

EVP_CIPHER* FetchCipher(const char* name) {
  EVP_CIPHER* method = EVP_CIPHER_fetch(nullptr, name, nullptr);
  Require(method != nullptr);
  return method;
}

}  // namespace

const EVP_MD* Sha256Method() {
  static const EVP_MD* const kMethod = FetchDigest("SHA2-256");
  return kMethod;
}

const EVP_MD* Sha384Method() {
  static const EVP_MD* const kMethod = FetchDigest("SHA2-384");
  return kMethod;
}

const EVP_MD* Sha512Method() {
  static const EVP_MD* const kMethod = FetchDigest("SHA2-512");
  return kMethod;
}

const EVP_CIPHER* Aes256GcmMethod() {
  static const EVP_CIPHER* const kMethod = FetchCipher("AES-256-GCM");
  return kMethod;
}

const EVP_CIPHER* Aes256WrapMethod() {
  static const EVP_CIPHER* const kMethod = FetchCipher("AES-256-WRAP");
  return kMethod;
}

EVP_KDF* HkdfMethod() {
  static EVP_KDF* const kMethod = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  Require(kMethod != nullptr);
  return kMethod;
}

}  // namespace portcullis::crypto

#include "crypto/digest.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "codec/text.h"
#include "crypto/algorithms.h"
#include "crypto/openssl.h"

namespace portcullis::crypto {
namespace {

template <typename Digest>
Digest Hash(const EVP_MD* method, Bytes bytes) {
  std::array<std::byte, Digest::kSize> out;
  unsigned int size = 0;
  Require(EVP_Digest(bytes.data(), bytes.size(), Octets(std::span(out)), &size, method, nullptr) == 1);
  Require(size == Digest::kSize);
  return Digest(out);
}

// OpenSSL reads a null pointer as "not given", so empty inputs need an address.
constexpr std::byte kNothing{};
Bytes Given(Bytes bytes) { return bytes.data() == nullptr ? Bytes(&kNothing, 0) : bytes; }

OSSL_PARAM OctetParameter(const char* name, Bytes bytes) {
  // OSSL_PARAM serves reading and writing with one type; a KDF only reads it.
  return OSSL_PARAM_construct_octet_string(name, const_cast<std::byte*>(Given(bytes).data()), bytes.size());
}

}  // namespace

Sha256Digest Sha256(Bytes bytes) { return Hash<Sha256Digest>(Sha256Method(), bytes); }
Sha384Digest Sha384(Bytes bytes) { return Hash<Sha384Digest>(Sha384Method(), bytes); }
Sha512Digest Sha512(Bytes bytes) { return Hash<Sha512Digest>(Sha512Method(), bytes); }

std::string DigestText(const Sha256Digest& digest) { return "sha256:" + codec::EncodeHex(digest.bytes()); }

Sha256Digest HmacSha256(const SecretBytes& key, Bytes message) {
  std::array<std::byte, Sha256Digest::kSize> out;
  key.Expose([&](Bytes raw) {
    std::size_t size = 0;
    Require(EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA2-256", nullptr, Given(raw).data(), raw.size(),
                      Octets(Given(message)), message.size(), Octets(std::span(out)), out.size(),
                      &size) != nullptr);
    Require(size == out.size());
  });
  return Sha256Digest(out);
}

SecretBytes HkdfSha256(const SecretBytes& key, Bytes salt, std::string_view info, std::size_t length) {
  Require(length <= 255 * Sha256Digest::kSize);
  SecretBytes out(length);
  if (length == 0) return out;
  const KdfContextPtr context(EVP_KDF_CTX_new(HkdfMethod()));
  Require(context != nullptr);
  char digest[] = "SHA2-256";
  key.Expose([&](Bytes raw) {
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OctetParameter(OSSL_KDF_PARAM_KEY, raw),
        OctetParameter(OSSL_KDF_PARAM_SALT, salt),
        OctetParameter(OSSL_KDF_PARAM_INFO, AsBytes(info)),
        OSSL_PARAM_construct_end(),
    };
    out.ExposeMutable([&](std::span<std::byte> derived) {
      Require(EVP_KDF_derive(context.get(), Octets(derived), derived.size(), parameters) == 1);
    });
  });
  return out;
}

bool SameSecret(Bytes a, Bytes b) {
  return a.size() == b.size() && (a.empty() || CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0);
}

void SystemRandom::Fill(std::span<std::byte> out) {
  Require(out.empty() || RAND_bytes(Octets(out), IntSize(out.size())) == 1);
}

}  // namespace portcullis::crypto

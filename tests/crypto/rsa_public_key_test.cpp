#include "crypto/rsa_public_key.h"

#include <gtest/gtest.h>

#include "codec/text.h"
#include "crypto/openssl.h"

namespace portcullis::crypto {
namespace {

using codec::Json;

constexpr std::string_view kMessage = "what was signed";

KeyPtr Generate(unsigned bits, unsigned exponent = 65537) {
  const KeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  BIGNUM* const e = BN_new();
  BN_set_word(e, exponent);
  EVP_PKEY* key = nullptr;
  EXPECT_EQ(EVP_PKEY_keygen_init(context.get()), 1);
  EXPECT_EQ(EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), static_cast<int>(bits)), 1);
  EXPECT_EQ(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context.get(), e), 1);
  EXPECT_EQ(EVP_PKEY_generate(context.get(), &key), 1);
  BN_free(e);
  return KeyPtr(key);
}
const EVP_PKEY* Shared() {
  static const KeyPtr key = Generate(2048);
  return key.get();
}

std::string NumberOf(const EVP_PKEY* key, const char* name) {
  BIGNUM* value = nullptr;
  EXPECT_EQ(EVP_PKEY_get_bn_param(key, name, &value), 1);
  const BignumPtr number(value);
  ByteBuffer bytes(static_cast<std::size_t>(BN_num_bytes(number.get())));
  BN_bn2bin(number.get(), Octets(std::span(bytes)));
  return codec::EncodeBase64Url(bytes);
}
Json JwkOf(const EVP_PKEY* key) {
  return Json::Object({{"kty", "RSA"}, {"n", NumberOf(key, "n")}, {"e", NumberOf(key, "e")}});
}
ByteBuffer SpkiOf(const EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  ByteBuffer out = ToBuffer(ViewOf(der, static_cast<std::size_t>(size)));
  OPENSSL_free(der);
  return out;
}
ByteBuffer Sign(const EVP_PKEY* key, const char* digest, int padding) {
  const DigestContextPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;
  EXPECT_EQ(EVP_DigestSignInit_ex(context.get(), &key_context, digest, nullptr, nullptr,
                                  const_cast<EVP_PKEY*>(key), nullptr),  // NOLINT: OpenSSL counts references
            1);
  EXPECT_EQ(EVP_PKEY_CTX_set_rsa_padding(key_context, padding), 1);
  ByteBuffer out(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
  std::size_t size = out.size();
  const Bytes message = AsBytes(kMessage);
  EXPECT_EQ(EVP_DigestSign(context.get(), Octets(std::span(out)), &size, Octets(message), message.size()), 1);
  return out;
}
ByteBuffer Good() { return Sign(Shared(), "SHA256", RSA_PKCS1_PADDING); }

TEST(RsaPublicKey, VerifiesWhatItsKeySigned) {
  for (const auto& key : {RsaPublicKey::FromJwk(JwkOf(Shared())), RsaPublicKey::FromSpki(SpkiOf(Shared()))}) {
    ASSERT_TRUE(key) << key.error().ToString();
    EXPECT_EQ(key->bits(), 2048u);
    EXPECT_TRUE(key->VerifyPkcs1Sha256(AsBytes(kMessage), Good()));
    EXPECT_FALSE(key->VerifyPkcs1Sha256(AsBytes("another"), Good()));
  }
  const KeyPtr other = Generate(2048);
  EXPECT_FALSE(RsaPublicKey::FromJwk(JwkOf(other.get()))->VerifyPkcs1Sha256(AsBytes(kMessage), Good()));
}

TEST(RsaPublicKey, RefusesASignatureWithAnyByteChangedOrOfAnotherLength) {
  const auto key = RsaPublicKey::FromJwk(JwkOf(Shared())).value();
  const ByteBuffer good = Good();
  for (std::size_t i = 0; i < good.size(); ++i) {
    ByteBuffer bad = good;
    bad[i] ^= std::byte{1};
    EXPECT_FALSE(key.VerifyPkcs1Sha256(AsBytes(kMessage), bad)) << i;
  }
  EXPECT_FALSE(key.VerifyPkcs1Sha256(AsBytes(kMessage), {}));
  EXPECT_FALSE(key.VerifyPkcs1Sha256(AsBytes(kMessage), Bytes(good).first(255)));
  ByteBuffer longer(1);
  Append(longer, good);
  EXPECT_FALSE(key.VerifyPkcs1Sha256(AsBytes(kMessage), longer));
  EXPECT_FALSE(key.VerifyPkcs1Sha256(AsBytes(kMessage), ByteBuffer(256)));
}

TEST(RsaPublicKey, RefusesOtherHashesAndPaddings) {
  const auto key = RsaPublicKey::FromJwk(JwkOf(Shared())).value();
  for (const char* const digest : {"SHA1", "SHA384", "SHA512"})
    EXPECT_FALSE(key.VerifyPkcs1Sha256(AsBytes(kMessage), Sign(Shared(), digest, RSA_PKCS1_PADDING)));
  EXPECT_FALSE(key.VerifyPkcs1Sha256(AsBytes(kMessage), Sign(Shared(), "SHA256", RSA_PKCS1_PSS_PADDING)));
}

TEST(RsaPublicKey, MustBeLongEnoughAndHaveTheUsualExponent) {
  EXPECT_FALSE(RsaPublicKey::FromJwk(JwkOf(Generate(1024).get())));
  EXPECT_FALSE(RsaPublicKey::FromSpki(SpkiOf(Generate(2040).get())));
  EXPECT_FALSE(RsaPublicKey::FromSpki(SpkiOf(Generate(2048, 3).get())));
  Json even = JwkOf(Shared());
  ByteBuffer modulus = codec::DecodeBase64Url(even.TextAt({"n"})).value();
  modulus.back() &= std::byte{0xFE};
  even.Set("n", codec::EncodeBase64Url(modulus));
  EXPECT_FALSE(RsaPublicKey::FromJwk(even));
  even.Set("n", codec::EncodeBase64Url(ByteBuffer(520, std::byte{0xFF})));
  EXPECT_FALSE(RsaPublicKey::FromJwk(even));
}

TEST(RsaPublicKey, IsRefusedInAnyOtherForm) {
  const Json good = JwkOf(Shared());
  for (const char* const name : {"kty", "n", "e"}) {
    Json bad = good;
    bad.Erase(name);
    EXPECT_FALSE(RsaPublicKey::FromJwk(bad)) << name;
    bad.Set(name, 65537);
    EXPECT_FALSE(RsaPublicKey::FromJwk(bad)) << name;
    bad.Set(name, "");
    EXPECT_FALSE(RsaPublicKey::FromJwk(bad)) << name;
  }
  Json bad = good;
  bad.Set("e", "AAEAAQ");  // with a leading zero
  EXPECT_FALSE(RsaPublicKey::FromJwk(bad));
  bad = good;
  bad.Set("n", std::string(good.TextAt({"n"})) + "=");
  EXPECT_FALSE(RsaPublicKey::FromJwk(bad));
  bad = good;
  bad.Set("d", "AQAB");
  EXPECT_FALSE(RsaPublicKey::FromJwk(bad));
  Json described = good;
  described.Set("kid", "HCLAkPub").Set("key_ops", Json::Array({"sign"}));
  EXPECT_TRUE(RsaPublicKey::FromJwk(described));
  EXPECT_FALSE(RsaPublicKey::FromJwk(Json("RSA")));
}

TEST(RsaPublicKey, IsRefusedAsSpkiThatIsNotWholeOrOfAnotherKind) {
  const ByteBuffer good = SpkiOf(Shared());
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(RsaPublicKey::FromSpki(Bytes(good).first(size))) << size;
  ByteBuffer longer = good;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(RsaPublicKey::FromSpki(longer));
  const KeyPtr ec(EVP_EC_gen("P-256"));
  EXPECT_FALSE(RsaPublicKey::FromSpki(SpkiOf(ec.get())));
}

}  // namespace
}  // namespace portcullis::crypto

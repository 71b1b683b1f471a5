#include "crypto/digest.h"

#include <gtest/gtest.h>

#include "tests/crypto/keys.h"
#include "tests/crypto/wycheproof.h"

namespace portcullis::crypto {
namespace {

using test::ForEachVector;
using test::FromHex;
using test::Vector;

TEST(Digest, MatchesTheStandardsVectors) {  // FIPS 180-4, "abc" and the empty message
  EXPECT_EQ(codec::EncodeHex(Sha256(AsBytes("abc")).bytes()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(codec::EncodeHex(Sha256({}).bytes()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(
      codec::EncodeHex(Sha384(AsBytes("abc")).bytes()),
      "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
  EXPECT_EQ(codec::EncodeHex(Sha512(AsBytes("abc")).bytes()),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
            "454d4423643ce80e2a9ac94fa54ca49f");
}

TEST(Digest, TextNamesTheAlgorithm) {
  EXPECT_EQ(DigestText(Sha256({})),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Digest, OverCanonicalJsonIsTheReportDataOfDeployedClients) {
  // Computed by the Confidential Containers client for this nonce and key: the additional evidence is empty.
  const codec::Json key = codec::Json::Object({{"kty", "EC"},
                                               {"crv", "P-256"},
                                               {"alg", "ECDH-ES+A256KW"},
                                               {"x", "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0"},
                                               {"y", "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps"}});
  codec::Json runtime =
      codec::Json::Object({{"tee-pubkey", key}, {"nonce", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}});
  EXPECT_EQ(
      codec::EncodeHex(Sha384(AsBytes(codec::ToCanonicalText(runtime))).bytes()),
      "9bd28a38af92c4acfeb69a010a4cd777c546a6d9939fb0f3dd57e2535cddf4d6d96991b185c3570a4725da7d223270f3");
  runtime.Set("additional-evidence", "");
  EXPECT_EQ(
      codec::EncodeHex(Sha384(AsBytes(codec::ToCanonicalText(runtime))).bytes()),
      "24d7b8634a25cc74ab1ce3c78b8cd9ec5a23e33f3a66ce3a04cf6b9a48f11d56986edb023749150a64850073a9c2e043");
  EXPECT_TRUE(EcPublicKey::FromJwk(key, KeyUse::kEncryption));
}

TEST(HmacSha256, AgreesWithWycheproof) {
  PORTCULLIS_TESTDATA_OR_SKIP(file, "wycheproof/hmac_sha256_test.json");
  std::size_t valid = 0;
  ForEachVector(file, [&](const Vector& vector) {
    const Sha256Digest mac = HmacSha256(SecretBytes::CopyOf(vector.bytes("key")), vector.bytes("msg"));
    // Some groups cut the tag to 128 bits; our MAC is compared on what is left.
    const ByteBuffer tag = vector.bytes("tag");
    EXPECT_EQ(SameBytes(mac.bytes().first(tag.size()), tag), vector.valid());
    valid += vector.valid();
  });
  EXPECT_EQ(valid, 66u);
}

TEST(HmacSha256, TakesAnEmptyKeyAndAnEmptyMessage) {
  EXPECT_EQ(codec::EncodeHex(HmacSha256(SecretBytes(), {}).bytes()),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(HkdfSha256, AgreesWithWycheproof) {
  PORTCULLIS_TESTDATA_OR_SKIP(file, "wycheproof/hkdf_sha256_test.json");
  std::size_t derived = 0;
  ForEachVector(file, [&](const Vector& vector) {
    const auto derive = [&] {
      return HkdfSha256(SecretBytes::CopyOf(vector.bytes("ikm")), vector.bytes("salt"),
                        AsText(vector.bytes("info")), vector.number("size"));
    };
    if (!vector.valid()) {
      EXPECT_DEATH(derive(), "") << "more than 255 blocks are a bug of the caller";
      return;
    }
    EXPECT_TRUE(test::SameContent(derive(), vector.bytes("okm")));
    ++derived;
  });
  EXPECT_EQ(derived, 83u);
}

TEST(HkdfSha256, DerivesNothingWhereNothingIsAsked) {
  EXPECT_TRUE(HkdfSha256(test::SecretOf("key"), {}, "info", 0).empty());
}

TEST(SameSecret, ComparesContentAndLength) {
  EXPECT_TRUE(SameSecret(AsBytes("same"), AsBytes("same")));
  EXPECT_TRUE(SameSecret({}, {}));
  EXPECT_FALSE(SameSecret(AsBytes("same"), AsBytes("sane")));
  EXPECT_FALSE(SameSecret(AsBytes("same"), AsBytes("sam")));
  EXPECT_FALSE(SameSecret(AsBytes("same"), {}));
}

TEST(SystemRandom, FillsAllOfItAnewEachTime) {
  std::array<std::byte, 64> first{}, second{};
  SystemRandom random;
  random.Fill(first);
  random.Fill(second);
  EXPECT_NE(first, second);
  EXPECT_FALSE(std::ranges::all_of(std::span(first).last(32), [](std::byte b) { return b == std::byte{0}; }));
  random.Fill({});
}

}  // namespace
}  // namespace portcullis::crypto

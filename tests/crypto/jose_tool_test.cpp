// The `jose` program (Debian package jose) as a second opinion on what we write and read.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>

#include "codec/text.h"
#include "crypto/digest.h"
#include "crypto/jose.h"
#include "tests/crypto/keys.h"
#include "tests/support/testdata.h"

namespace portcullis::crypto {
namespace {

using codec::Json;

struct Finished {
  int status;
  std::string output;
};

Finished Execute(const std::string& command) {
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return {-1, {}};
  std::string output;
  std::array<char, 4096> part;
  while (const std::size_t size = std::fread(part.data(), 1, part.size(), pipe))
    output.append(part.data(), size);
  return {pclose(pipe), output};
}

class JoseTool : public testing::TestWithParam<Curve> {
 protected:
  void SetUp() override {
    if (Execute("command -v jose").status != 0) {
      std::cerr << "\n*** NOT RUN: no `jose` program to compare with ***\n" << std::endl;
      GTEST_SKIP() << "no `jose` program";
    }
    std::string name = std::filesystem::temp_directory_path() / "portcullis-jose-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override {
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }
  std::string Write(const std::string& name, std::string_view text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return (folder_ / name).string();
  }

  std::filesystem::path folder_;
};
INSTANTIATE_TEST_SUITE_P(Curves, JoseTool, testing::Values(Curve::kP256, Curve::kP384, Curve::kP521),
                         [](const auto& parameter) {
                           const std::string name(NameOf(parameter.param));
                           return name.substr(0, 1) + name.substr(2);
                         });

TEST_P(JoseTool, DecryptsWhatWeEncrypt) {
  const EcPrivateKey key = EcPrivateKey::Generate(GetParam());
  SystemRandom random;
  const Jwe jwe = EncryptJwe(key.public_key(), test::SecretOf("model key"), random, {{"release", "r-1"}});
  const std::string key_file = Write("key.jwk", test::JwkTextWithPrivatePart(key));
  for (const std::string& text : {jwe.ToCompact(), codec::ToText(jwe.ToJson())}) {
    const Finished decrypted = Execute("jose jwe dec -i " + Write("sealed", text) + " -k " + key_file);
    EXPECT_EQ(decrypted.status, 0);
    EXPECT_EQ(decrypted.output, "model key");
  }
}

TEST_P(JoseTool, EncryptsWhatWeDecrypt) {
  const EcPrivateKey key = EcPrivateKey::Generate(GetParam());
  const Finished encrypted = Execute(
      "jose jwe enc -c -i '{\"protected\":{\"alg\":\"ECDH-ES+A256KW\",\"enc\":\"A256GCM\"}}' -I " +
      Write("plain", "model key") + " -k " + Write("key.jwk", codec::ToText(key.public_key().ToJwk())));
  ASSERT_EQ(encrypted.status, 0);
  const auto jwe = Jwe::FromCompact(encrypted.output);
  ASSERT_TRUE(jwe) << encrypted.output;
  const auto plaintext = DecryptJwe(key, *jwe);
  ASSERT_TRUE(plaintext) << plaintext.error().ToString();
  EXPECT_EQ(test::TextOf(*plaintext), "model key");
}

TEST_P(JoseTool, VerifiesWhatWeSign) {
  const EcPrivateKey key = EcPrivateKey::Generate(GetParam());
  const std::string key_file = Write("key.jwk", codec::ToText(key.public_key().ToJwk()));
  const std::string jws = SignJws(key, "portcullis-test+jws", AsBytes("claims"));
  const Finished verified = Execute("jose jws ver -i " + Write("signed", jws) + " -k " + key_file + " -O -");
  EXPECT_EQ(verified.status, 0);
  EXPECT_EQ(verified.output, "claims");

  const std::string other = codec::ToText(EcPrivateKey::Generate(GetParam()).public_key().ToJwk());
  EXPECT_NE(Execute("jose jws ver -i " + Write("signed", jws) + " -k " + Write("other.jwk", other)).status,
            0);
}

TEST_P(JoseTool, SignsWhatWeVerify) {
  const EcPrivateKey key = EcPrivateKey::Generate(GetParam());
  const Finished signed_text =
      Execute("jose jws sig -c -s '{\"protected\":{\"typ\":\"portcullis-test+jws\"}}' -I " +
              Write("plain", "claims") + " -k " + Write("key.jwk", test::JwkTextWithPrivatePart(key)));
  ASSERT_EQ(signed_text.status, 0);
  const auto payload = VerifyJws(key.public_key(), "portcullis-test+jws", signed_text.output);
  ASSERT_TRUE(payload) << payload.error().ToString();
  EXPECT_EQ(ToText(*payload), "claims");
}

TEST_P(JoseTool, ComputesTheSameThumbprint) {
  const EcPublicKey key = EcPrivateKey::Generate(GetParam()).public_key();
  const Finished thumbprint =
      Execute("jose jwk thp -a S256 -i " + Write("key.jwk", codec::ToText(key.ToJwk())));
  EXPECT_EQ(thumbprint.output, key.Thumbprint());
}

TEST_P(JoseTool, MakesKeysThatWeAccept) {
  // With an alg, jose chooses the curve itself: P-521.
  const std::string purpose = GetParam() == Curve::kP521 ? R"("alg":"ECDH-ES+A256KW")" : R"("use":"enc")";
  const Finished made = Execute("jose jwk gen -i '{\"kty\":\"EC\",\"crv\":\"" +
                                std::string(NameOf(GetParam())) + "\"," + purpose + "}' | jose jwk pub -i-");
  ASSERT_EQ(made.status, 0);
  const auto jwk = codec::ParseJson(made.output);
  ASSERT_TRUE(jwk);
  EXPECT_TRUE(EcPublicKey::FromJwk(*jwk, KeyUse::kEncryption)) << made.output;
}

}  // namespace
}  // namespace portcullis::crypto

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "codec/text.h"
#include "keystore/keystore.h"
#include "tests/store/child_process.h"
#include "tests/store/temporary_directory.h"

namespace portcullis::keystore {
namespace {

ByteBuffer KeyBytes() {
  ByteBuffer bytes(32);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(0xC0 + i);
  return bytes;
}

SecretBytes Secret(std::string_view text) { return SecretBytes::CopyOf(AsBytes(text)); }
std::string Revealed(const SecretBytes& secret) { return secret.Expose(ToText); }

class KekFile : public testing::Test {
 protected:
  void Write(std::string_view content, mode_t mode = 0400) {
    std::filesystem::remove(path_);
    test::WriteFile(path_, content);
    ASSERT_EQ(chmod(path_.c_str(), mode), 0);
  }
  void ExpectRefused() {
    const auto kek = Kek::FromFile(path_);
    ASSERT_FALSE(kek);
    EXPECT_EQ(kek.error().code, ReasonCode::kKeyUnavailable);
    EXPECT_NE(kek.error().ToString().find(path_), std::string::npos) << kek.error().ToString();
  }

  test::TemporaryDirectory directory_;
  std::string path_ = directory_.File("kek");
};

TEST_F(KekFile, ReadsTheSameKeyRawInHexAndInBase64) {
  const std::string raw = ToText(KeyBytes());
  const std::string hex = codec::EncodeHex(KeyBytes()), base64 = codec::EncodeBase64(KeyBytes());
  std::string upper = hex;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  const ByteBuffer wrapped = Kek::FromBytes(SecretBytes::CopyOf(KeyBytes())).Wrap(Secret("key"), "here");
  for (const std::string& content : {raw, hex, hex + "\n", hex + "\r\n", upper, base64, base64 + "\n"}) {
    Write(content);
    const auto kek = Kek::FromFile(path_);
    ASSERT_TRUE(kek) << kek.error().ToString();
    EXPECT_TRUE(kek->Unwrap(wrapped, "here")) << Quoted(content);
  }
}

TEST_F(KekFile, RefusesOtherContent) {
  const std::string hex = codec::EncodeHex(KeyBytes()), base64 = codec::EncodeBase64(KeyBytes());
  std::string bad_hex = hex, bad_base64 = base64, bad_bits = base64;
  bad_hex[10] = 'g';
  bad_base64[10] = '-';
  ASSERT_EQ(bad_bits[43], '=');
  bad_bits[42] = 'B' + (bad_bits[42] == 'B');
  for (const std::string& content :
       {std::string(), ToText(KeyBytes()).substr(1), ToText(KeyBytes()) + "x", hex.substr(2), hex + "00",
        hex + "\n\n", " " + hex, base64.substr(0, 43), base64 + "=", bad_hex, bad_base64, bad_bits,
        std::string(44, '='), std::string(1 << 20, 'a')}) {
    Write(content);
    ExpectRefused();
  }
}

TEST_F(KekFile, RefusesAKeyOfZerosBecauseThatIsAFailedGeneration) {
  Write(std::string(32, '\0'));
  ExpectRefused();
  Write(std::string(64, '0'));
  ExpectRefused();
}

TEST_F(KekFile, RefusesAFileThatOthersMayTouchAndSaysHowToRepairIt) {
  for (const mode_t mode : {0440u, 0404u, 0420u, 0402u, 0410u, 0644u, 0666u}) {
    Write(ToText(KeyBytes()), mode);
    ExpectRefused();
    EXPECT_NE(Kek::FromFile(path_).error().ToString().find("chmod 0400"), std::string::npos);
  }
  for (const mode_t mode : {0400u, 0600u}) {
    Write(ToText(KeyBytes()), mode);
    EXPECT_TRUE(Kek::FromFile(path_));
  }
}

TEST_F(KekFile, RefusesTheFileOfAnotherUser) {
  if (geteuid() != 0) {
    std::cout << "NOT RUN: only root can give a file away" << std::endl;
    return;
  }
  Write(ToText(KeyBytes()));
  ASSERT_EQ(chown(path_.c_str(), 65534, 65534), 0);
  ExpectRefused();
}

// kubelet mounts a Secret as root's and readable by the pod's group.
TEST_F(KekFile, ReadsRootsFileThroughTheGroupWhereItIsNotRootItself) {
  if (geteuid() != 0) {
    std::cout << "NOT RUN: only root can become another user" << std::endl;
    return;
  }
  constexpr gid_t kNobody = 65534;
  ASSERT_EQ(chmod(directory_.path().c_str(), 0755), 0);
  const auto accepted_with_mode = [this](mode_t mode) {
    Write(ToText(KeyBytes()), mode);
    EXPECT_EQ(chown(path_.c_str(), 0, kNobody), 0);
    return test::RunInChild([this] {
      if (setresgid(kNobody, kNobody, kNobody) != 0 || setresuid(kNobody, kNobody, kNobody) != 0) return 2;
      return Kek::FromFile(path_) ? 0 : 1;
    });
  };
  EXPECT_EQ(accepted_with_mode(0440), 0);
  EXPECT_EQ(accepted_with_mode(0444), 1);
  EXPECT_EQ(accepted_with_mode(0460), 1);
}

TEST_F(KekFile, RefusesWhatIsNoFile) {
  ExpectRefused();  // nothing there
  std::filesystem::create_directory(path_);
  chmod(path_.c_str(), 0700);
  ExpectRefused();
  std::filesystem::remove(path_);
  ASSERT_EQ(mkfifo(path_.c_str(), 0400), 0);  // and does not wait for a writer
  ExpectRefused();
}

TEST_F(KekFile, FollowsALinkAsAMountedSecretHasThem) {
  Write(ToText(KeyBytes()));
  std::filesystem::create_symlink(path_, directory_.File("link"));
  EXPECT_TRUE(Kek::FromFile(directory_.File("link")));
}

class KekTest : public testing::Test {
 protected:
  Kek kek_ = Kek::FromBytes(SecretBytes::CopyOf(KeyBytes()));
};

TEST_F(KekTest, UnwrapsWhatItWrapped) {
  const auto plain = kek_.Unwrap(kek_.Wrap(Secret("the key"), "row 1"), "row 1");
  ASSERT_TRUE(plain);
  EXPECT_EQ(Revealed(*plain), "the key");
}

TEST_F(KekTest, WrapsTheSameKeyDifferentlyEachTime) {
  EXPECT_NE(kek_.Wrap(Secret("the key"), "row 1"), kek_.Wrap(Secret("the key"), "row 1"));
}

TEST_F(KekTest, RefusesAnotherContextAnotherKekAndEveryChange) {
  const ByteBuffer wrapped = kek_.Wrap(Secret("the key"), "row 1");
  const auto refused = kek_.Unwrap(wrapped, "row 2");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ReasonCode::kKeyUnavailable);
  ByteBuffer other = KeyBytes();
  other[31] ^= std::byte{1};
  EXPECT_FALSE(Kek::FromBytes(SecretBytes::CopyOf(other)).Unwrap(wrapped, "row 1"));
  for (std::size_t i = 0; i < wrapped.size(); ++i) {
    ByteBuffer changed = wrapped;
    changed[i] ^= std::byte{0x80};
    EXPECT_FALSE(kek_.Unwrap(changed, "row 1")) << i;
    EXPECT_FALSE(kek_.Unwrap(Bytes(wrapped).first(i), "row 1")) << i;
  }
}

TEST_F(KekTest, DerivesOneKeyForEachPurposeNoneOfThemItself) {
  const auto challenge = Revealed(kek_.Derive("challenge"));
  EXPECT_EQ(challenge.size(), 32u);
  EXPECT_EQ(challenge, Revealed(kek_.Derive("challenge")));
  EXPECT_NE(challenge, Revealed(kek_.Derive("cookie")));
  EXPECT_NE(challenge, ToText(KeyBytes()));
}

}  // namespace
}  // namespace portcullis::keystore

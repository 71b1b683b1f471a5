#include "crypto/aead.h"

#include <gtest/gtest.h>

#include "crypto/digest.h"
#include "crypto/key_wrap.h"
#include "tests/crypto/keys.h"
#include "tests/crypto/wycheproof.h"

namespace portcullis::crypto {
namespace {

using test::ForEachVector;
using test::SecretOf;
using test::Vector;

/// Gives out the bytes that a vector prescribes.
class PrescribedRandom final : public Random {
 public:
  explicit PrescribedRandom(ByteBuffer bytes) : bytes_(std::move(bytes)) {}
  void Fill(std::span<std::byte> out) override {
    ASSERT_EQ(out.size(), bytes_.size());
    std::ranges::copy(bytes_, out.begin());
  }

 private:
  ByteBuffer bytes_;
};

SecretBytes Key() { return SecretOf("0123456789abcdef0123456789abcdef"); }

TEST(Aes256Gcm, AgreesWithWycheproof) {
  PORTCULLIS_TESTDATA_OR_SKIP(file, "wycheproof/aes_gcm_test.json");
  std::size_t valid = 0, invalid = 0, other_size = 0;
  ForEachVector(file, [&](const Vector& vector) {
    const SecretBytes key = SecretBytes::CopyOf(vector.bytes("key"));
    const ByteBuffer nonce = vector.bytes("iv"), aad = vector.bytes("aad"), message = vector.bytes("msg");
    ByteBuffer sealed = nonce;
    Append(sealed, vector.bytes("ct"));
    Append(sealed, vector.bytes("tag"));
    const auto opened = OpenAes256Gcm(key, sealed, aad);
    if (key.size() != 32 || nonce.size() != 12) {
      // Another key or nonce length than ours: with a good tag elsewhere, refused here.
      EXPECT_FALSE(opened);
      ++other_size;
      return;
    }
    EXPECT_EQ(opened.has_value(), vector.valid());
    (vector.valid() ? valid : invalid) += 1;
    if (!vector.valid()) return;
    EXPECT_TRUE(test::SameContent(*opened, message));
    PrescribedRandom random(nonce);
    EXPECT_EQ(SealAes256Gcm(key, message, aad, random), sealed);
  });
  EXPECT_EQ(valid, 39u);
  EXPECT_EQ(invalid, 27u);
  EXPECT_EQ(other_size, 250u);
}

TEST(Aes256Gcm, RefusesEveryFlippedByteAndEveryTruncation) {
  SystemRandom random;
  const ByteBuffer sealed = SealAes256Gcm(Key(), AsBytes("plaintext"), AsBytes("context"), random);
  ASSERT_EQ(sealed.size(), 12 + 9 + 16u);
  ASSERT_EQ(test::TextOf(OpenAes256Gcm(Key(), sealed, AsBytes("context")).value()), "plaintext");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    ByteBuffer changed = sealed;
    changed[i] ^= std::byte{1};
    EXPECT_FALSE(OpenAes256Gcm(Key(), changed, AsBytes("context"))) << i;
    EXPECT_FALSE(OpenAes256Gcm(Key(), Bytes(sealed).first(i), AsBytes("context"))) << i;
  }
  EXPECT_FALSE(OpenAes256Gcm(Key(), sealed, AsBytes("contexT")));
  EXPECT_FALSE(OpenAes256Gcm(Key(), sealed, {}));
  EXPECT_FALSE(OpenAes256Gcm(SecretOf("0123456789abcdef0123456789abcdeF"), sealed, AsBytes("context")));
  EXPECT_FALSE(OpenAes256Gcm(SecretOf("0123456789abcdef"), sealed, AsBytes("context")));
}

TEST(Aes256Gcm, SealsAnEmptyTextAndNeverTheSameWayTwice) {
  SystemRandom random;
  const ByteBuffer first = SealAes256Gcm(Key(), {}, {}, random);
  EXPECT_TRUE(OpenAes256Gcm(Key(), first, {}).value().empty());
  EXPECT_NE(first, SealAes256Gcm(Key(), {}, {}, random));
}

TEST(KeyWrap, AgreesWithWycheproof) {
  PORTCULLIS_TESTDATA_OR_SKIP(file, "wycheproof/aes_wrap_test.json");
  std::size_t wrapped = 0, refused = 0, other_size = 0;
  ForEachVector(file, [&](const Vector& vector) {
    const SecretBytes kek = SecretBytes::CopyOf(vector.bytes("key"));
    const ByteBuffer message = vector.bytes("msg"), ciphertext = vector.bytes("ct");
    if (kek.size() != 32) {
      ++other_size;
      return;
    }
    const auto unwrapped = UnwrapKey(kek, ciphertext);
    if (!vector.valid() || ciphertext.size() != kWrappedKeyBytes) {
      // Keys of other lengths are valid there; a content key here is 32 bytes and nothing else.
      EXPECT_FALSE(unwrapped);
      ++refused;
      return;
    }
    ASSERT_TRUE(unwrapped);
    EXPECT_TRUE(test::SameContent(*unwrapped, message));
    EXPECT_TRUE(SameBytes(WrapKey(kek, SecretBytes::CopyOf(message)), ciphertext));
    ++wrapped;
  });
  EXPECT_EQ(wrapped, 4u);
  EXPECT_EQ(refused, 64u);
  EXPECT_EQ(other_size, 165u - 68u);
}

}  // namespace
}  // namespace portcullis::crypto

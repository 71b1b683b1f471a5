#include <gtest/gtest.h>
#include <zlib.h>

#include "codec/text.h"
#include "tests/support/seeded_random.h"

namespace portcullis::codec {
namespace {

constexpr std::size_t kPlenty = 1u << 24;

ByteBuffer Spoiled(ByteBuffer bytes, std::size_t at) {
  bytes[at] ^= std::byte{1};
  return bytes;
}

TEST(Gzip, UnpacksWhatItPacks) {
  test::SeededRandom random(test::PrintedSeed());
  for (const std::size_t length : {0u, 1u, 1000u, 65535u, 65536u, 65537u, 1u << 20}) {
    const ByteBuffer bytes = random.Take(length);
    EXPECT_EQ(Gunzip(Gzip(bytes), kPlenty).value(), bytes) << length;
  }
}

TEST(Gzip, IsDeterministicAndCarriesNoNameOrTime) {
  const ByteBuffer packed = Gzip(AsBytes("the same bytes"));
  EXPECT_EQ(packed, Gzip(AsBytes("the same bytes")));
  const ByteBuffer header(packed.begin(), packed.begin() + 8);
  EXPECT_EQ(EncodeHex(header), "1f8b080000000000");
}

TEST(Gzip, UnpacksWhatTheGzipToolWrote) {
  // printf 'hello\n' | gzip -c, with its time stamp
  const auto packed = DecodeHex("1f8b08004f5d256a0003cb48cdc9c9e7020020303a3606000000").value();
  EXPECT_EQ(ToText(Gunzip(packed, 100).value()), "hello\n");
}

TEST(Gzip, UnpacksExactlyToTheLimitAndRefusesOneMore) {
  for (const std::size_t length : {1u, 1000u, 65536u, 131072u}) {
    const ByteBuffer packed = Gzip(ByteBuffer(length));
    EXPECT_EQ(Gunzip(packed, length).value().size(), length);
    const auto refused = Gunzip(packed, length - 1);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ReasonCode::kRequestMalformed);
  }
  EXPECT_TRUE(Gunzip(Gzip({}), 0));
}

TEST(Gzip, RefusesABombWithoutUnpackingIt) {
  const ByteBuffer bomb = Gzip(ByteBuffer(64u << 20));
  ASSERT_LT(bomb.size(), 100'000u);
  EXPECT_FALSE(Gunzip(bomb, 1u << 20));
}

TEST(Gzip, RefusesEveryTruncation) {
  const ByteBuffer packed = Gzip(AsBytes("some text, some text, some text"));
  for (std::size_t length = 0; length < packed.size(); ++length)
    EXPECT_FALSE(Gunzip(Bytes(packed).first(length), kPlenty)) << length;
}

TEST(Gzip, RefusesDamageOfContentChecksumAndLength) {
  const ByteBuffer packed = Gzip(AsBytes("some text, some text, some text"));
  ASSERT_TRUE(Gunzip(packed, kPlenty));
  EXPECT_FALSE(Gunzip(Spoiled(packed, 0), kPlenty));                  // magic
  EXPECT_FALSE(Gunzip(Spoiled(packed, 2), kPlenty));                  // method
  EXPECT_FALSE(Gunzip(Spoiled(packed, 12), kPlenty));                 // content
  EXPECT_FALSE(Gunzip(Spoiled(packed, packed.size() - 8), kPlenty));  // CRC-32
  EXPECT_FALSE(Gunzip(Spoiled(packed, packed.size() - 1), kPlenty));  // ISIZE
}

TEST(Gzip, RefusesTrailingBytesAndASecondMember) {
  ByteBuffer packed = Gzip(AsBytes("text"));
  packed.push_back(std::byte{0});
  EXPECT_FALSE(Gunzip(packed, kPlenty));
  packed.pop_back();
  Append(packed, Gzip(AsBytes("more")));
  EXPECT_FALSE(Gunzip(packed, kPlenty));
}

TEST(Gzip, RefusesZlibAndRawDeflate) {
  std::string packed(100, '\0');
  uLongf size = packed.size();
  const std::string text = "text";
  ASSERT_EQ(compress(static_cast<Bytef*>(static_cast<void*>(packed.data())), &size,
                     static_cast<const Bytef*>(static_cast<const void*>(text.data())), text.size()),
            Z_OK);
  packed.resize(size);
  EXPECT_FALSE(Gunzip(AsBytes(packed), kPlenty));
  EXPECT_FALSE(Gunzip(AsBytes(packed).subspan(2), kPlenty));
  EXPECT_FALSE(Gunzip(AsBytes("plain text"), kPlenty));
}

}  // namespace
}  // namespace portcullis::codec

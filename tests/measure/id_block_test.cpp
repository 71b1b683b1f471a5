#include "measure/id_block.h"

#include <gtest/gtest.h>

#include "codec/json.h"
#include "codec/text.h"
#include "measure/fields.h"
#include "tests/support/testdata.h"

namespace portcullis::measure {
namespace {

ByteBuffer Hex(std::string_view text) { return codec::DecodeHex(text).value(); }

codec::Json Known(const std::filesystem::path& folder) {
  return codec::ParseJson(test::ReadFile(folder / "idblock_and_ovmf_hash.json")).value();
}

std::string DigestOfSpki(std::string_view hex) {
  return codec::EncodeHex(DigestOfKey(crypto::EcPublicKey::FromSpki(Hex(hex)).value()).value().bytes());
}

TEST(DigestOfKey, IsThatWhichOthersCompute) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "snp-measure");
  const codec::Json known = Known(folder);
  for (const codec::Json& one : *known.Find("id_block")->if_array()) {
    EXPECT_EQ(DigestOfSpki(one.TextAt({"id_pubkey_spki_hex"})), one.TextAt({"id_key_digest"}));
    EXPECT_EQ(DigestOfSpki(one.TextAt({"author_pubkey_spki_hex"})), one.TextAt({"author_key_digest"}));
  }
}

TEST(DigestOfKey, RefusesAnotherCurve) {
  const auto digest = DigestOfKey(crypto::EcPrivateKey::Generate(crypto::Curve::kP256).public_key());
  ASSERT_FALSE(digest);
  EXPECT_EQ(digest.error().code, ReasonCode::kRequestMalformed);
}

TEST(ParseIdBlock, ReadsThoseOfOthers) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "snp-measure");
  const codec::Json known = Known(folder);
  for (const codec::Json& one : *known.Find("id_block")->if_array()) {
    const IdBlock block = ParseIdBlock(Hex(one.TextAt({"id_block_hex"}))).value();
    EXPECT_EQ(codec::EncodeHex(block.launch_digest.bytes()), one.TextAt({"launch_digest"}));
    EXPECT_EQ(block.guest_policy, 0x30000u);
    EXPECT_EQ(block.guest_svn, 0u);
    EXPECT_TRUE(block.family_id.IsZero());
    EXPECT_TRUE(block.image_id.IsZero());
  }
}

TEST(ParseIdBlock, ReadsEachField) {
  ByteBuffer bytes(kIdBlockBytes);
  bytes[0x00] = std::byte{1};
  bytes[0x30] = std::byte{2};
  bytes[0x40] = std::byte{3};
  bytes[0x50] = std::byte{1};
  bytes[0x54] = std::byte{4};
  bytes[0x58] = std::byte{5};
  const IdBlock block = ParseIdBlock(bytes).value();
  EXPECT_EQ(block.launch_digest.array()[0], std::byte{1});
  EXPECT_EQ(block.family_id.array()[0], std::byte{2});
  EXPECT_EQ(block.image_id.array()[0], std::byte{3});
  EXPECT_EQ(block.guest_svn, 4u);
  EXPECT_EQ(block.guest_policy, 5u);
  bytes[0x50] = std::byte{2};
  EXPECT_FALSE(ParseIdBlock(bytes));
}

TEST(ParseIdBlock, RefusesEveryOtherLength) {
  ByteBuffer bytes(kIdBlockBytes + 1);
  bytes[0x50] = std::byte{1};
  for (std::size_t size = 0; size <= bytes.size(); ++size)
    EXPECT_EQ(ParseIdBlock(Bytes(bytes).first(size)).has_value(), size == kIdBlockBytes) << size;
}

/// An ID authentication structure with two keys, whose digests are computed apart from the parser.
struct TwoKeys {
  ByteBuffer bytes = ByteBuffer(kIdAuthBytes);
  TwoKeys() {
    PutLittle<std::uint32_t>(bytes, 0x0, 1);
    PutLittle<std::uint32_t>(bytes, 0x4, 1);
    PutLittle<std::uint32_t>(bytes, 0x240, 2);
    PutLittle<std::uint32_t>(bytes, 0x880, 2);
    bytes[0x244] = std::byte{7};
    bytes[0x884] = std::byte{8};
  }
};

TEST(ParseIdAuth, DigestsBothKeys) {
  const TwoKeys keys;
  const IdAuth auth = ParseIdAuth(keys.bytes).value();
  EXPECT_EQ(auth.id_key, crypto::Sha384(Bytes(keys.bytes).subspan(0x240, 0x404)));
  ASSERT_TRUE(auth.author_key);
  EXPECT_EQ(*auth.author_key, crypto::Sha384(Bytes(keys.bytes).subspan(0x880, 0x404)));
}

TEST(ParseIdAuth, KnowsThatThereIsNoAuthorKey) {
  TwoKeys keys;
  PutLittle<std::uint32_t>(keys.bytes, 0x4, 0);
  EXPECT_FALSE(ParseIdAuth(keys.bytes));  // a key that no algorithm goes with
  std::ranges::fill(std::span(keys.bytes).subspan(0x680), std::byte{0});
  const IdAuth auth = ParseIdAuth(keys.bytes).value();
  EXPECT_FALSE(auth.author_key);
}

TEST(ParseIdAuth, RefusesOtherAlgorithmsCurvesAndLengths) {
  for (const std::size_t at : {0x0u, 0x4u, 0x240u, 0x880u}) {
    TwoKeys keys;
    PutLittle<std::uint32_t>(keys.bytes, at, 3);
    EXPECT_FALSE(ParseIdAuth(keys.bytes)) << at;
  }
  const TwoKeys keys;
  EXPECT_FALSE(ParseIdAuth(Bytes(keys.bytes).first(kIdAuthBytes - 1)));
  ByteBuffer longer = keys.bytes;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(ParseIdAuth(longer));
}

TEST(ParseIdAuth, ReadsThatOfOthers) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "snp-measure");
  const auto auth = ParseIdAuth(test::ReadBytes(folder / "id_auth_block.bin"));
  ASSERT_TRUE(auth) << auth.error().ToString();
  const codec::Json known = Known(folder);
  const codec::Json& one = known.Find("id_block")->if_array()->front();
  EXPECT_EQ(codec::EncodeHex(auth->id_key.bytes()), one.TextAt({"id_key_digest"}));
  ASSERT_TRUE(auth->author_key);
  EXPECT_EQ(codec::EncodeHex(auth->author_key->bytes()), one.TextAt({"author_key_digest"}));
}

}  // namespace
}  // namespace portcullis::measure

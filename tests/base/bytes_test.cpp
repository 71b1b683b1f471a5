#include "base/bytes.h"

#include <gtest/gtest.h>

namespace portcullis {
namespace {

ByteBuffer Make(std::initializer_list<int> values) {
  ByteBuffer out;
  for (const int value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

using Four = FixedBytes<struct FourTag, 4>;

TEST(FixedBytes, ComesFromExactlyItsLength) {
  EXPECT_EQ(ToBuffer(Four::From(Make({1, 2, 3, 4})).value().bytes()), Make({1, 2, 3, 4}));
  EXPECT_EQ(Four::From(Make({1, 2, 3})).error().code, ReasonCode::kRequestMalformed);
  EXPECT_EQ(Four::From(Make({1, 2, 3, 4, 5})).error().code, ReasonCode::kRequestMalformed);
  EXPECT_FALSE(Four::From({}));
}

TEST(FixedBytes, ComparesAndKnowsZero) {
  const Four one = Four::From(Make({0, 0, 0, 1})).value();
  EXPECT_TRUE(Four().IsZero());
  EXPECT_FALSE(one.IsZero());
  EXPECT_EQ(one, Four::From(Make({0, 0, 0, 1})).value());
  EXPECT_LT(one, Four::From(Make({0, 0, 1, 0})).value());
}

TEST(FixedBytes, OfOneMeaningAreNotThoseOfAnother) {
  using Other = FixedBytes<struct OtherTag, 4>;
  static_assert(!std::is_convertible_v<Four, Other>);
  static_assert(!std::is_constructible_v<Four, Other>);
}

TEST(FixedLayout, ReadsLittleEndianFieldsAtTheirOffsets) {
  const auto bytes = Make({0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0xFF});
  const FixedLayout<9> in{Bytes(bytes).first<9>()};
  EXPECT_EQ((in.Field<std::uint8_t, 8>()), 0xFFu);
  EXPECT_EQ((in.Field<std::uint16_t, 1>()), 0x0302u);
  EXPECT_EQ((in.Field<std::uint32_t, 0>()), 0x04030201u);
  EXPECT_EQ((in.Field<std::uint64_t, 0>()), 0x0807060504030201u);
  EXPECT_EQ(ToBuffer(in.Field<Four, 5>().bytes()), Make({6, 7, 8, 0xFF}));
  EXPECT_EQ(ToBuffer(in.Slice<2, 4>()), Make({3, 4}));
}

TEST(FixedLayout, ZeroLooksAtItsRangeAlone) {
  const auto bytes = Make({1, 0, 0, 1});
  const FixedLayout<4> in{Bytes(bytes).first<4>()};
  EXPECT_TRUE((in.Zero<1, 3>()));
  EXPECT_TRUE((in.Zero<2, 2>()));
  EXPECT_FALSE((in.Zero<0, 3>()));
  EXPECT_FALSE((in.Zero<1, 4>()));
}

TEST(ByteReader, ReadsFieldAfterFieldToTheEnd) {
  const auto bytes = Make({0x01, 0x02, 0x01, 0x02, 9, 8, 7, 6, 2, 0, 0xAA, 0xBB});
  ByteReader in(bytes);
  EXPECT_EQ(in.TakeLittle<std::uint16_t>().value(), 0x0201);
  EXPECT_EQ(in.TakeBig<std::uint16_t>().value(), 0x0102);
  EXPECT_EQ(ToBuffer(in.TakeFixed<Four>().value().bytes()), Make({9, 8, 7, 6}));
  EXPECT_EQ(in.offset(), 8u);
  EXPECT_EQ(in.Finish().error().code, ReasonCode::kEvidenceMalformed);
  EXPECT_EQ(ToBuffer(in.TakeSized<std::uint16_t>(2).value()), Make({0xAA, 0xBB}));
  EXPECT_EQ(in.remaining(), 0u);
  EXPECT_TRUE(in.Finish());
}

TEST(ByteReader, RefusesToReadPastTheEnd) {
  const auto bytes = Make({1, 2, 3});
  ByteReader in(bytes);
  EXPECT_EQ(in.Take(4).error().code, ReasonCode::kEvidenceMalformed);
  EXPECT_FALSE(in.TakeLittle<std::uint32_t>());
  EXPECT_FALSE(in.TakeBig<std::uint64_t>());
  EXPECT_FALSE(in.TakeFixed<Four>());
  EXPECT_FALSE(in.Take(SIZE_MAX));
  EXPECT_EQ(in.remaining(), 3u);  // a refused read takes nothing
  EXPECT_TRUE(in.Take(3));
  EXPECT_FALSE(in.Take(1));
  EXPECT_TRUE(in.Take(0));
}

TEST(ByteReader, HoldsLengthsToTheirLimitAndToTheBytes) {
  const auto bytes = Make({3, 1, 2, 3});
  EXPECT_TRUE(ByteReader(bytes).TakeSized<std::uint8_t>(3));
  EXPECT_FALSE(ByteReader(bytes).TakeSized<std::uint8_t>(2));
  EXPECT_FALSE(ByteReader(Bytes(bytes).first(3)).TakeSized<std::uint8_t>(3));
  EXPECT_FALSE(ByteReader(Make({0xFF, 0xFF, 0xFF, 0xFF})).TakeSized<std::uint32_t>(UINT32_MAX));
}

TEST(Bytes, AndTextAreViewsOfEachOther) {
  EXPECT_EQ(AsText(AsBytes("text")), "text");
  EXPECT_EQ(ToText(AsBytes(std::string_view("a\0b", 3))), std::string("a\0b", 3));
  EXPECT_EQ(AsBytes("").size(), 0u);
  EXPECT_TRUE(SameBytes(AsBytes("a"), AsBytes("a")));
  EXPECT_FALSE(SameBytes(AsBytes("a"), AsBytes("ab")));
  ByteBuffer out = ToBuffer(AsBytes("a"));
  Append(out, AsBytes("bc"));
  EXPECT_EQ(AsText(out), "abc");
}

}  // namespace
}  // namespace portcullis

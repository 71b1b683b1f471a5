#include "measure/id_block.h"

#include "codec/text.h"
#include "measure/fields.h"

namespace portcullis::measure {
namespace {

constexpr std::uint32_t kAlgorithmP384 = 1;  // ECDSA P-384 with SHA-384
constexpr std::uint32_t kCurveP384 = 2;
constexpr std::size_t kKeyBytes = 0x404;
constexpr std::size_t kPaddedFieldBytes = 72;

template <std::size_t Offset>
Result<KeyDigest> DigestAt(const FixedLayout<kIdAuthBytes>& in) {
  const Bytes key = in.Slice<Offset, Offset + kKeyBytes>();
  if (TRY(LittleAt<std::uint32_t>(key, 0)) != kCurveP384)
    return Error{ReasonCode::kRequestMalformed, "key in the ID authentication structure is not on P-384"};
  return crypto::Sha384(key);
}

Result<ByteBuffer> Coordinate(const codec::Json& jwk, std::string_view name) {
  const std::string text(jwk.TextAt({name}));
  ByteBuffer big_endian = TRY(codec::DecodeBase64Url(text));
  std::ranges::reverse(big_endian);
  return big_endian;
}

}  // namespace

Result<IdBlock> ParseIdBlock(Bytes bytes) {
  if (bytes.size() != kIdBlockBytes) return Error{ReasonCode::kRequestMalformed, "an ID block is 96 bytes"};
  const FixedLayout<kIdBlockBytes> in(bytes.first<kIdBlockBytes>());
  if (in.Field<std::uint32_t, 0x50>() != 1)
    return Error{ReasonCode::kRequestMalformed, "ID block is not of version 1"};
  return IdBlock{
      .launch_digest = in.Field<LaunchDigest, 0x00>(),
      .family_id = in.Field<FamilyId, 0x30>(),
      .image_id = in.Field<ImageId, 0x40>(),
      .guest_svn = in.Field<std::uint32_t, 0x54>(),
      .guest_policy = in.Field<std::uint64_t, 0x58>(),
  };
}

Result<IdAuth> ParseIdAuth(Bytes bytes) {
  if (bytes.size() != kIdAuthBytes)
    return Error{ReasonCode::kRequestMalformed, "an ID authentication structure is 4096 bytes"};
  const FixedLayout<kIdAuthBytes> in(bytes.first<kIdAuthBytes>());
  if (in.Field<std::uint32_t, 0x00>() != kAlgorithmP384)
    return Error{ReasonCode::kRequestMalformed, "ID key is not of ECDSA P-384 with SHA-384"};
  const KeyDigest id_key = TRY(DigestAt<0x240>(in));
  const auto author_algorithm = in.Field<std::uint32_t, 0x04>();
  // Without an author key its whole place is zeros; anything else there must be a key that we can read.
  if (author_algorithm == 0 && in.Zero<0x680, 0x880 + kKeyBytes>()) return IdAuth{id_key, std::nullopt};
  if (author_algorithm != kAlgorithmP384)
    return Error{ReasonCode::kRequestMalformed, "author key is not of ECDSA P-384 with SHA-384"};
  const KeyDigest author_key = TRY(DigestAt<0x880>(in));
  return IdAuth{id_key, author_key};
}

Result<KeyDigest> DigestOfKey(const crypto::EcPublicKey& key) {
  if (key.curve() != crypto::Curve::kP384) return Error{ReasonCode::kRequestMalformed, "key is not on P-384"};
  const codec::Json jwk = key.ToJwk();
  std::array<std::byte, kKeyBytes> structure{};
  PutLittle<std::uint32_t>(structure, 0, kCurveP384);
  PutBytes(structure, 4, TRY(Coordinate(jwk, "x")));
  PutBytes(structure, 4 + kPaddedFieldBytes, TRY(Coordinate(jwk, "y")));
  return crypto::Sha384(structure);
}

}  // namespace portcullis::measure

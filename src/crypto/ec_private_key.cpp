#include <openssl/core_names.h>

#include <bit>

#include "crypto/der.h"
#include "crypto/ec_key.h"
#include "crypto/pem_secret.h"

namespace portcullis::crypto {
namespace {

using std::string_view_literals::operator""sv;

constexpr auto kEcPublicKeyOid = "\x2a\x86\x48\xce\x3d\x02\x01"sv;

Error Malformed(StaticText text) { return Error{ReasonCode::kRequestMalformed, text}; }

/// x || y of d * G. The scalar must be in [1, n-1].
Result<ByteBuffer> PointOf(const CurveProfile& profile, Bytes scalar) {
  const EcGroupPtr group(EC_GROUP_new_by_curve_name(profile.nid));
  const BignumPtr number(BN_bin2bn(Octets(scalar), IntSize(scalar.size()), BN_secure_new()));
  Require(group != nullptr && number != nullptr);
  BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  if (BN_is_zero(number.get()) || BN_cmp(number.get(), EC_GROUP_get0_order(group.get())) >= 0)
    return Malformed("private key is out of range");
  const EcPointPtr point(EC_POINT_new(group.get()));
  Require(point != nullptr);
  Require(EC_POINT_mul(group.get(), point.get(), number.get(), nullptr, nullptr, nullptr) == 1);
  ByteBuffer encoded(1 + 2 * profile.field_bytes);
  Require(EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED,
                             Octets(std::span(encoded)), encoded.size(), nullptr) == encoded.size());
  encoded.erase(encoded.begin());
  return encoded;
}

KeyPtr Import(const CurveProfile& profile, Bytes scalar, Bytes point) {
  std::string group = profile.group;
  ByteBuffer uncompressed{std::byte{0x04}};
  Append(uncompressed, point);
  // An integer parameter is read in the machine's byte order, which is little-endian here.
  static_assert(std::endian::native == std::endian::little);
  SecretBytes number(scalar.size());
  number.ExposeMutable([&](std::span<std::byte> out) { std::ranges::reverse_copy(scalar, out.begin()); });
  return number.ExposeMutable([&](std::span<std::byte> little) {
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, uncompressed.data(), uncompressed.size()),
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, Octets(little), little.size()),
        OSSL_PARAM_construct_end(),
    };
    const KeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
    Require(context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1);
    EVP_PKEY* raw = nullptr;
    Require(EVP_PKEY_fromdata(context.get(), &raw, EVP_PKEY_KEYPAIR, parameters) == 1);
    return KeyPtr(raw);
  });
}

/// The parts of a PrivateKeyInfo of an EC key: views into it.
struct ParsedPkcs8 {
  const CurveProfile* profile;
  Bytes scalar;
  Bytes public_point;  // x || y, or empty where the optional field is absent
};

Result<ParsedPkcs8> ParseEcPrivateKey(const CurveProfile& profile, Bytes der) {
  DerReader outer(der);
  DerReader key(TRY(outer.Take(kDerSequence)));
  TRY(outer.Finish());
  if (!SameBytes(TRY(key.Take(kDerInteger)), AsBytes("\x01"sv)))
    return Malformed("EC key of unknown version");
  const Bytes scalar = TRY(key.Take(kDerOctetString));
  ParsedPkcs8 parsed{.profile = &profile, .scalar = scalar, .public_point = {}};
  if (parsed.scalar.size() != profile.field_bytes) return Malformed("private key has the wrong length");
  if (key.PeekTag() == 0xA0) {  // the curve again
    DerReader parameters(TRY(key.Take(0xA0)));
    if (!SameBytes(TRY(parameters.Take(kDerObjectId)), AsBytes(profile.object_id)))
      return Malformed("EC key names two curves");
    TRY(parameters.Finish());
  }
  if (key.PeekTag() == 0xA1) {
    DerReader wrapped(TRY(key.Take(0xA1)));
    const Bytes bits = TRY(wrapped.Take(kDerBitString));
    TRY(wrapped.Finish());
    if (bits.size() != 2 + 2 * profile.field_bytes || !SameBytes(bits.first(2), AsBytes("\x00\x04"sv)))
      return Malformed("public part is not an uncompressed point");
    parsed.public_point = bits.subspan(2);
  }
  TRY(key.Finish());
  return parsed;
}

Result<ParsedPkcs8> ParsePkcs8(Bytes der) {
  DerReader outer(der);
  DerReader info(TRY(outer.Take(kDerSequence)));
  TRY(outer.Finish());
  if (!SameBytes(TRY(info.Take(kDerInteger)), AsBytes("\x00"sv)))
    return Malformed("PKCS#8 of unknown version");
  DerReader algorithm(TRY(info.Take(kDerSequence)));
  if (!SameBytes(TRY(algorithm.Take(kDerObjectId)), AsBytes(kEcPublicKeyOid)))
    return Malformed("private key is not an EC key");
  const Bytes curve = TRY(algorithm.Take(kDerObjectId));
  TRY(algorithm.Finish());
  const auto profile = std::ranges::find_if(
      AllCurves(), [&](const CurveProfile& known) { return SameBytes(curve, AsBytes(known.object_id)); });
  if (profile == AllCurves().end()) return Malformed("private key is on an unknown curve");
  const Bytes key = TRY(info.Take(kDerOctetString));
  if (info.PeekTag() == 0xA0) TRY(info.Next());  // attributes: nothing that we would follow
  TRY(info.Finish());
  return ParseEcPrivateKey(*profile, key);
}

}  // namespace

EcPrivateKey::EcPrivateKey(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EcPrivateKey::~EcPrivateKey() = default;
EcPrivateKey::EcPrivateKey(EcPrivateKey&&) noexcept = default;
EcPrivateKey& EcPrivateKey::operator=(EcPrivateKey&&) noexcept = default;

const EcPublicKey& EcPrivateKey::public_key() const { return impl_->public_key; }

EcPrivateKey EcPrivateKey::Generate(Curve curve) {
  const CurveProfile& profile = ProfileOf(curve);
  const KeyContextPtr context = GeneratorOn(profile);
  EVP_PKEY* raw = nullptr;
  Require(context != nullptr && EVP_PKEY_keygen_init(context.get()) == 1 &&
          EVP_PKEY_generate(context.get(), &raw) == 1);
  KeyPtr key(raw);
  ByteBuffer encoded(1 + 2 * profile.field_bytes);
  std::size_t size = 0;
  Require(EVP_PKEY_get_octet_string_param(key.get(), OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY,
                                          Octets(std::span(encoded)), encoded.size(), &size) == 1);
  Require(size == encoded.size() && encoded.front() == std::byte{0x04});
  EcPublicKey public_key(std::make_shared<const EcPublicKey::Impl>(profile, Bytes(encoded).subspan(1)));
  return EcPrivateKey(std::make_unique<Impl>(Impl{std::move(key), std::move(public_key)}));
}

Result<EcPrivateKey> EcPrivateKey::FromPkcs8(const SecretBytes& der) {
  return der.Expose([](Bytes bytes) -> Result<EcPrivateKey> {
    const auto parsed = ParsePkcs8(bytes);
    if (!parsed) return Malformed("private key is not PKCS#8 of an EC key");
    const ByteBuffer point = TRY(PointOf(*parsed->profile, parsed->scalar));
    // A public part that belongs to another key would make us sign with one key and announce the other.
    if (!parsed->public_point.empty() && !SameBytes(parsed->public_point, point))
      return Malformed("public part does not belong to the private key");
    auto public_key = TRY(PublicKeyOf(*parsed->profile, point));
    return EcPrivateKey(
        std::make_unique<Impl>(Impl{Import(*parsed->profile, parsed->scalar, point), std::move(public_key)}));
  });
}

Result<EcPrivateKey> EcPrivateKey::FromPem(const SecretBytes& pem) {
  const SecretBytes der = TRY(DecodeSecretPem("PRIVATE KEY", pem));
  return FromPkcs8(der);
}

SecretBytes EcPrivateKey::ToPkcs8() const {
  const CurveProfile& profile = impl_->public_key.impl()->profile;
  const Bytes point = impl_->public_key.impl()->point;
  const std::size_t size = profile.field_bytes;
  // Straight into our memory, little-endian: EVP_PKEY_get_bn_param() leaves a copy on the stack.
  SecretBytes number(size);
  number.ExposeMutable([&](std::span<std::byte> little) {
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, Octets(little), little.size()),
        OSSL_PARAM_construct_end()};
    Require(EVP_PKEY_get_params(impl_->key.get(), parameters) == 1 && parameters[0].return_size == size);
  });

  SecretBytes out(profile.pkcs8_prefix.size() + size + profile.pkcs8_middle.size() + 2 * size);
  out.ExposeMutable([&](std::span<std::byte> bytes) {
    auto rest = std::ranges::copy(AsBytes(profile.pkcs8_prefix), bytes.begin()).out;
    rest = number.Expose([&](Bytes little) { return std::ranges::reverse_copy(little, rest).out; });
    rest = std::ranges::copy(AsBytes(profile.pkcs8_middle), rest).out;
    std::ranges::copy(point, rest);
  });
  return out;
}

SecretBytes EcPrivateKey::ToPem() const { return EncodeSecretPem("PRIVATE KEY", ToPkcs8()); }

SecretBytes SharedSecret(const EcPrivateKey& own, const EcPublicKey& peer) {
  Require(own.public_key().curve() == peer.curve());
  const KeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, own.impl().key.get(), nullptr));
  Require(context != nullptr && EVP_PKEY_derive_init(context.get()) == 1);
  Require(EVP_PKEY_derive_set_peer_ex(context.get(), peer.impl()->key(), 0) == 1);
  SecretBytes shared(peer.impl()->profile.field_bytes);
  shared.ExposeMutable([&](std::span<std::byte> out) {
    std::size_t size = out.size();
    Require(EVP_PKEY_derive(context.get(), Octets(out), &size) == 1 && size == out.size());
  });
  return shared;
}

}  // namespace portcullis::crypto

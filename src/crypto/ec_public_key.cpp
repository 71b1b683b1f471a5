#include <openssl/core_names.h>

#include <array>

#include "codec/text.h"
#include "crypto/digest.h"
#include "crypto/ec_key.h"

namespace portcullis::crypto {
namespace {

Error NotAccepted(StaticText text) { return Error{ReasonCode::kTeeKeyNotAccepted, text}; }

KeyPtr GroupOnly(const CurveProfile& profile) {
  std::string group = profile.group;
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
      OSSL_PARAM_construct_end(),
  };
  const KeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  Require(context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1);
  EVP_PKEY* raw = nullptr;
  Require(EVP_PKEY_fromdata(context.get(), &raw, EVP_PKEY_KEY_PARAMETERS, parameters) == 1);
  return KeyPtr(raw);
}

Result<> RefuseUnknownMembers(const codec::Json& jwk) {
  // A private member has no business here, and an RSA or symmetric one makes the key ambiguous (hazards J16).
  static constexpr std::string_view kAllowed[] = {"kty", "crv", "x", "y", "alg", "use", "kid", "key_ops"};
  for (const auto& [name, value] : *jwk.if_object()) {
    if (std::ranges::find(kAllowed, name) == std::end(kAllowed))
      return NotAccepted("JWK has a member that a public EC key does not have").At(Quoted(name));
  }
  return Done{};
}

Result<> CheckUse(const codec::Json& jwk, KeyUse use, const CurveProfile& profile) {
  if (use == KeyUse::kAny) return Done{};
  const bool encrypts = use == KeyUse::kEncryption;
  const auto text_is = [&](std::string_view name, std::string_view wanted) {
    const codec::Json* value = jwk.Find(name);
    return value == nullptr || (value->if_string() != nullptr && *value->if_string() == wanted);
  };
  if (!text_is("use", encrypts ? "enc" : "sig")) return NotAccepted("JWK is for another use").At("use");
  if (!text_is("alg", encrypts ? kKeyAgreementAlgorithm : profile.jws_algorithm))
    return NotAccepted("JWK is for another algorithm").At("alg");
  const codec::Json* operations = jwk.Find("key_ops");
  if (operations == nullptr) return Done{};
  if (operations->if_array() == nullptr) return NotAccepted("JWK operations are not an array").At("key_ops");
  const bool allowed = std::ranges::any_of(*operations->if_array(), [&](const codec::Json& operation) {
    const std::string* name = operation.if_string();
    if (name == nullptr) return false;
    // The jose library names the step after the agreement.
    return encrypts ? *name == "deriveKey" || *name == "deriveBits" || *name == "wrapKey" : *name == "verify";
  });
  if (!allowed) return NotAccepted("JWK is for other operations").At("key_ops");
  return Done{};
}

Result<ByteBuffer> Coordinate(const codec::Json& jwk, std::string_view name, std::size_t size) {
  const codec::Json* value = jwk.Find(name);
  const std::string* text = value == nullptr ? nullptr : value->if_string();
  if (text == nullptr) return NotAccepted("JWK coordinate is missing").At(name);
  // RFC 7518 6.2.1.2: the length of the field, leading zeros kept; 4 characters hold 3 bytes.
  if (text->size() != (size * 4 + 2) / 3) return NotAccepted("JWK coordinate has the wrong length").At(name);
  auto bytes = codec::DecodeBase64Url(*text);
  if (!bytes || bytes->size() != size) return NotAccepted("JWK coordinate is not base64url").At(name);
  return bytes;
}

codec::Json JwkOf(const CurveProfile& profile, Bytes point) {
  const std::size_t size = profile.field_bytes;
  return codec::Json::Object({{"crv", profile.name},
                              {"kty", "EC"},
                              {"x", codec::EncodeBase64Url(point.first(size))},
                              {"y", codec::EncodeBase64Url(point.last(size))}});
}

/// Templates that have nothing but a group. Naming the group makes OpenSSL compute its tables anew, which
/// costs more than all else here; a copy of one of these shares them.
EVP_PKEY* GroupOf(const CurveProfile& profile) {
  static const std::array<KeyPtr, 3> kTemplates{GroupOnly(ProfileOf(Curve::kP256)),
                                                GroupOnly(ProfileOf(Curve::kP384)),
                                                GroupOnly(ProfileOf(Curve::kP521))};
  return kTemplates.at(static_cast<std::size_t>(profile.curve)).get();
}

/// Null where the point is not on the curve.
KeyPtr ImportPoint(const CurveProfile& profile, Bytes point) {
  ByteBuffer uncompressed{std::byte{0x04}};
  Append(uncompressed, point);
  KeyPtr key(EVP_PKEY_dup(GroupOf(profile)));
  Require(key != nullptr);
  if (EVP_PKEY_set1_encoded_public_key(key.get(), Octets(std::span(uncompressed)), uncompressed.size()) != 1)
    return nullptr;
  return key;
}

}  // namespace

KeyContextPtr GeneratorOn(const CurveProfile& profile) {
  return KeyContextPtr(EVP_PKEY_CTX_new_from_pkey(nullptr, GroupOf(profile), nullptr));
}

EVP_PKEY* EcPublicKey::Impl::key() const {
  std::call_once(imported_, [this] {
    if (key_ == nullptr) key_ = ImportPoint(profile, point);
    Require(key_ != nullptr);
  });
  return key_.get();
}

const std::string& EcPublicKey::Impl::Thumbprint() const {
  // RFC 7638 3: the required members in the order of their names, compact; JwkOf() makes exactly those.
  std::call_once(hashed_, [this] {
    thumbprint_ = codec::EncodeBase64Url(Sha256(AsBytes(codec::ToText(JwkOf(profile, point)))).bytes());
  });
  return thumbprint_;
}

Result<EcPublicKey> PublicKeyOf(const CurveProfile& profile, Bytes point) {
  if (point.size() != 2 * profile.field_bytes) return NotAccepted("EC point has the wrong length");
  KeyPtr key = ImportPoint(profile, point);
  if (key == nullptr) return NotAccepted("EC point is not on the curve");

  // The import checks the curve equation already; this says so, and holds if a later OpenSSL does not.
  const KeyContextPtr check(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  Require(check != nullptr);
  if (EVP_PKEY_public_check_quick(check.get()) != 1) return NotAccepted("EC point is not on the curve");
  return EcPublicKey(std::make_shared<const EcPublicKey::Impl>(profile, point, std::move(key)));
}

Result<EcPublicKey> EcPublicKey::FromJwk(const codec::Json& jwk, KeyUse use) {
  if (!jwk.is_object()) return NotAccepted("JWK is not an object");
  if (jwk.TextAt({"kty"}) != "EC") return NotAccepted("JWK is not an EC key").At("kty");
  const auto profile = std::ranges::find(AllCurves(), jwk.TextAt({"crv"}), &CurveProfile::name);
  if (profile == AllCurves().end()) return NotAccepted("JWK names an unknown curve").At("crv");
  TRY(RefuseUnknownMembers(jwk));
  TRY(CheckUse(jwk, use, *profile));
  ByteBuffer point = TRY(Coordinate(jwk, "x", profile->field_bytes));
  Append(point, TRY(Coordinate(jwk, "y", profile->field_bytes)));
  return PublicKeyOf(*profile, point);
}

Result<EcPublicKey> EcPublicKey::FromSpki(Bytes der) {
  // Named curve, uncompressed point: one encoding a curve, so that explicit parameters can't get anywhere.
  for (const CurveProfile& profile : AllCurves()) {
    const Bytes prefix = AsBytes(profile.spki_prefix);
    if (der.size() == prefix.size() + 2 * profile.field_bytes && SameBytes(der.first(prefix.size()), prefix))
      return PublicKeyOf(profile, der.subspan(prefix.size()));
  }
  return NotAccepted("key is not an uncompressed EC point on P-256, P-384 or P-521");
}

Curve EcPublicKey::curve() const { return impl_->profile.curve; }

codec::Json EcPublicKey::ToJwk() const { return JwkOf(impl_->profile, impl_->point); }

ByteBuffer EcPublicKey::ToSpki() const {
  ByteBuffer out = ToBuffer(AsBytes(impl_->profile.spki_prefix));
  Append(out, impl_->point);
  return out;
}

std::string EcPublicKey::Thumbprint() const { return impl_->Thumbprint(); }

bool EcPublicKey::operator==(const EcPublicKey& other) const {
  return curve() == other.curve() && impl_->point == other.impl_->point;
}

}  // namespace portcullis::crypto

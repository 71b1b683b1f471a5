#pragma once

#include <gtest/gtest.h>

#include "codec/json.h"
#include "codec/text.h"
#include "crypto/curve.h"
#include "crypto/jwk.h"

namespace portcullis::test {

inline SecretBytes SecretOf(std::string_view text) { return SecretBytes::CopyOf(AsBytes(text)); }
inline std::string TextOf(const SecretBytes& secret) {
  return secret.Expose([](Bytes bytes) { return ToText(bytes); });
}
inline bool SameContent(const SecretBytes& secret, Bytes bytes) {
  return secret.Expose([&](Bytes raw) { return SameBytes(raw, bytes); });
}

/// PKCS#8 without the optional public part, from a scalar of the field's length.
inline SecretBytes Pkcs8WithoutPublicPart(const crypto::CurveProfile& profile, Bytes scalar) {
  ByteBuffer key;
  const auto wrap = [](std::uint8_t tag, const ByteBuffer& content) {
    ByteBuffer out{std::byte{tag}};
    if (content.size() >= 0x80) out.push_back(std::byte{0x81});
    out.push_back(static_cast<std::byte>(content.size()));
    Append(out, content);
    return out;
  };
  const auto join = [](std::initializer_list<ByteBuffer> parts) {
    ByteBuffer out;
    for (const ByteBuffer& part : parts) Append(out, part);
    return out;
  };
  const ByteBuffer oid = codec::DecodeHex("2a8648ce3d0201").value();
  const ByteBuffer inner = wrap(0x30, join({wrap(0x02, {std::byte{1}}), wrap(0x04, ToBuffer(scalar))}));
  const ByteBuffer algorithm =
      wrap(0x30, join({wrap(0x06, oid), wrap(0x06, ToBuffer(AsBytes(profile.object_id)))}));
  const ByteBuffer whole = wrap(0x30, join({wrap(0x02, {std::byte{0}}), algorithm, wrap(0x04, inner)}));
  return SecretBytes::CopyOf(whole);
}

/// A private key from a JWK with `d`, as vectors give them. Its public part is computed.
inline crypto::EcPrivateKey PrivateKeyOfJwk(const codec::Json& jwk) {
  const auto profile =
      std::ranges::find(crypto::AllCurves(), jwk.TextAt({"crv"}), &crypto::CurveProfile::name);
  const ByteBuffer scalar = codec::DecodeBase64Url(jwk.TextAt({"d"})).value();
  auto key = crypto::EcPrivateKey::FromPkcs8(Pkcs8WithoutPublicPart(*profile, scalar));
  EXPECT_TRUE(key);
  return std::move(key).value();
}

/// The JWK with the private part, for tools that want one.
inline std::string JwkTextWithPrivatePart(const crypto::EcPrivateKey& key) {
  const auto& profile = crypto::ProfileOf(key.public_key().curve());
  codec::Json jwk = key.public_key().ToJwk();
  key.ToPkcs8().Expose([&](Bytes der) {
    jwk.Set("d", codec::EncodeBase64Url(der.subspan(profile.pkcs8_prefix.size(), profile.field_bytes)));
  });
  return codec::ToText(jwk);
}

}  // namespace portcullis::test

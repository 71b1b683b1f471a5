#include "codec/text.h"
#include "crypto/ec_key.h"
#include "crypto/jose.h"
#include "crypto/segments.h"

namespace portcullis::crypto {
namespace {

Error Invalid(StaticText text) { return Error{ReasonCode::kSignatureInvalid, text}; }

std::string HeaderSegment(const EcPrivateKey& key, std::string_view typ) {
  const CurveProfile& profile = key.public_key().impl()->profile;
  codec::Json header =
      codec::Json::Object({{"alg", profile.jws_algorithm}, {"kid", key.public_key().Thumbprint()}});
  if (!typ.empty()) header.Set("typ", typ);
  return codec::EncodeBase64Url(AsBytes(codec::ToText(header)));
}

std::string SigningInput(std::string_view header, Bytes payload) {
  return std::string(header) + "." + codec::EncodeBase64Url(payload);
}

Result<> CheckHeader(const EcPublicKey& key, std::string_view typ, std::string_view segment) {
  const auto header = ParseHeader(segment);
  if (!header) return Invalid("JWS header is malformed");
  // The key decides the algorithm, never the header (RFC 8725 3.1).
  if (header->TextAt({"alg"}) != key.impl()->profile.jws_algorithm)
    return Invalid("JWS algorithm is not the key's").At("alg");
  const codec::Json* type = header->Find("typ");
  const bool typed = type != nullptr && type->if_string() != nullptr && *type->if_string() == typ;
  if (typ.empty() ? type != nullptr : !typed) return Invalid("JWS is of another type").At("typ");
  const codec::Json* id = header->Find("kid");
  if (id != nullptr && (id->if_string() == nullptr || *id->if_string() != key.Thumbprint()))
    return Invalid("JWS names another key").At("kid");
  for (const std::string_view refused : {"crit", "b64", "jku", "jwk", "x5u", "x5c"}) {
    if (header->Find(refused) != nullptr)
      return Invalid("JWS header has a member that is not allowed").At(refused);
  }
  return Done{};
}

Result<> CheckSignature(const EcPublicKey& key, std::string_view signing_input, std::string_view segment) {
  if (segment.size() > kMaxJoseBytes) return Invalid("JWS signature is too long");
  const auto signature = codec::DecodeBase64Url(segment);
  if (!signature || !VerifyEcdsa(key, AsBytes(signing_input), *signature))
    return Invalid("JWS signature does not verify");
  return Done{};
}

Result<std::array<std::string_view, 3>> Split(std::string_view compact) {
  const auto segments = SplitCompact<3>(compact);
  if (!segments) return Invalid("JWS is not three segments");
  return *segments;
}

}  // namespace

std::string SignJws(const EcPrivateKey& key, std::string_view typ, Bytes payload) {
  const std::string input = SigningInput(HeaderSegment(key, typ), payload);
  return input + "." + codec::EncodeBase64Url(SignEcdsa(key, AsBytes(input)));
}

Result<ByteBuffer> VerifyJws(const EcPublicKey& key, std::string_view typ, std::string_view compact) {
  const auto [header, payload, signature] = TRY(Split(compact));
  // An empty payload would make attached and detached form look alike.
  if (payload.empty()) return Invalid("JWS has no payload");
  TRY(CheckHeader(key, typ, header));
  TRY(CheckSignature(key, compact.substr(0, header.size() + 1 + payload.size()), signature));
  auto bytes = codec::DecodeBase64Url(payload);
  if (!bytes) return Invalid("JWS payload is not base64url");
  return std::move(bytes).value();
}

std::string SignDetachedJws(const EcPrivateKey& key, std::string_view typ, Bytes payload) {
  const std::string header = HeaderSegment(key, typ);
  return header + ".." + codec::EncodeBase64Url(SignEcdsa(key, AsBytes(SigningInput(header, payload))));
}

Result<> VerifyDetachedJws(const EcPublicKey& key, std::string_view typ, std::string_view compact,
                           Bytes payload) {
  const auto [header, attached, signature] = TRY(Split(compact));
  if (!attached.empty()) return Invalid("JWS carries a payload where it must be detached");
  TRY(CheckHeader(key, typ, header));
  return CheckSignature(key, SigningInput(header, payload), signature);
}

Result<std::string> JwsKeyId(std::string_view compact) {
  const auto segments = TRY(Split(compact));
  const auto header = ParseHeader(segments[0]);
  if (!header) return Invalid("JWS header is malformed");
  const codec::Json* id = header->Find("kid");
  if (id == nullptr || id->if_string() == nullptr) return Invalid("JWS names no key").At("kid");
  return *id->if_string();
}

}  // namespace portcullis::crypto

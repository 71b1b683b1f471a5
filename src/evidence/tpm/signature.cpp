#include "evidence/tpm/signature.h"

#include <algorithm>

namespace portcullis::tpm {
namespace {

constexpr std::uint16_t kRsassa = 0x0014, kEcdsa = 0x0018;  // TPM_ALG_ID
constexpr std::uint16_t kSha256 = 0x000B, kSha384 = 0x000C;
constexpr std::size_t kMaxRsaBytes = crypto::kMaxRsaBits / 8;

Error Malformed(StaticText why) { return {ReasonCode::kEvidenceMalformed, why}; }

std::size_t FieldBytes(crypto::Curve curve) { return curve == crypto::Curve::kP256 ? 32 : 48; }

Result<ByteBuffer> TakeSized(ByteReader& in, std::size_t limit) {
  const auto size = TRY(in.TakeBig<std::uint16_t>());
  if (size == 0 || size > limit)
    return Malformed("a part of a TPM's signature has no length that it can have");
  const Bytes bytes = TRY(in.Take(size));
  return ToBuffer(bytes);
}

Result<Signature> TakeRsa(ByteReader& in, std::uint16_t hash) {
  if (hash != kSha256) return Malformed("an RSA signature of a TPM must be with SHA-256");
  auto bytes = TRY(TakeSized(in, kMaxRsaBytes));
  return Signature(RsaSignature{std::move(bytes)});
}

Result<Signature> TakeEcdsa(ByteReader& in, std::uint16_t hash) {
  if (hash != kSha256 && hash != kSha384)
    return Malformed("an ECDSA signature of a TPM must be with SHA-256 or SHA-384");
  const crypto::Curve curve = hash == kSha256 ? crypto::Curve::kP256 : crypto::Curve::kP384;
  auto r = TRY(TakeSized(in, FieldBytes(curve)));
  auto s = TRY(TakeSized(in, FieldBytes(curve)));
  return Signature(EcdsaSignature{curve, std::move(r), std::move(s)});
}

/// r || s, each of the field's length (RFC 7518, 3.4).
ByteBuffer Joined(const EcdsaSignature& signature) {
  const std::size_t field = FieldBytes(signature.curve);
  ByteBuffer out(2 * field);
  if (signature.r.size() > field || signature.s.size() > field) return out;  // all zeros: verifies nowhere
  std::ranges::copy_backward(signature.r, out.begin() + static_cast<std::ptrdiff_t>(field));
  std::ranges::copy_backward(signature.s, out.end());
  return out;
}

}  // namespace

Result<Signature> ParseSignature(Bytes bytes) {
  if (bytes.size() > kMaxSignatureBytes) return Malformed("a TPM's signature is too long");
  ByteReader in(bytes);
  const auto algorithm = TRY(in.TakeBig<std::uint16_t>());
  const auto hash = TRY(in.TakeBig<std::uint16_t>());
  if (algorithm != kRsassa && algorithm != kEcdsa) return Malformed("a TPM must sign with RSASSA or ECDSA");
  Signature out = TRY(algorithm == kRsassa ? TakeRsa(in, hash) : TakeEcdsa(in, hash));
  TRY(in.Finish());
  return out;
}

bool IsSignedBy(Bytes message, const Signature& signature, const AttestationKey& key) {
  if (const auto* const rsa = std::get_if<RsaSignature>(&signature)) {
    const auto* const rsa_key = std::get_if<crypto::RsaPublicKey>(&key);
    return rsa_key != nullptr && rsa_key->VerifyPkcs1Sha256(message, rsa->bytes);
  }
  const auto& ecdsa = std::get<EcdsaSignature>(signature);
  const auto* const ec_key = std::get_if<crypto::EcPublicKey>(&key);
  return ec_key != nullptr && ec_key->curve() == ecdsa.curve &&
         crypto::VerifyEcdsa(*ec_key, message, Joined(ecdsa));
}

}  // namespace portcullis::tpm

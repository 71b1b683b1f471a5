#pragma once

#include <string>

#include "base/bytes.h"
#include "base/random.h"
#include "base/secret_bytes.h"

namespace portcullis::crypto {

using Sha256Digest = FixedBytes<struct Sha256Tag, 32>;
using Sha384Digest = FixedBytes<struct Sha384Tag, 48>;
using Sha512Digest = FixedBytes<struct Sha512Tag, 64>;

Sha256Digest Sha256(Bytes bytes);
Sha384Digest Sha384(Bytes bytes);
Sha512Digest Sha512(Bytes bytes);
/// "sha256:<hex>", the form that audit rows and objects show.
std::string DigestText(const Sha256Digest& digest);

Sha256Digest HmacSha256(const SecretBytes& key, Bytes message);
/// RFC 5869 with SHA-256: `length` bytes, at most 255 * 32.
SecretBytes HkdfSha256(const SecretBytes& key, Bytes salt, std::string_view info, std::size_t length);

/// Equality in constant time.
bool SameSecret(Bytes a, Bytes b);

/// The operating system's randomness through OpenSSL.
class SystemRandom final : public Random {
 public:
  void Fill(std::span<std::byte> out) override;
};

}  // namespace portcullis::crypto

#include <cstdlib>

#include "crypto/digest.h"
#include "release/challenge.h"
#include "release/token.h"

/// Cookies and tokens of strangers: none is ours, so none opens and none verifies.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace portcullis;  // NOLINT: the entry point stands in no namespace
  static const crypto::EcPrivateKey kSigning = crypto::EcPrivateKey::Generate(crypto::Curve::kP256);
  static const SystemClock clock;
  static crypto::SystemRandom random;
  static const release::ChallengeSealer kSealer(
      keystore::Kek::FromBytes(SecretBytes::CopyOf(crypto::Sha256(AsBytes("fuzz")).bytes())), clock, random);
  const std::string_view text = AsText(std::as_bytes(std::span(data, size)));
  if (kSealer.Open(text) || kSealer.OpenSession(text)) std::abort();
  if (release::VerifyToken(kSigning.public_key(), text, clock.Now())) std::abort();
  return 0;
}

#include <cstdlib>

#include "evidence/tpm/quote.h"
#include "evidence/tpm/signature.h"

/// TPMS_ATTEST, and the same bytes as TPMT_SIGNATURE.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace portcullis;  // NOLINT: the entry point stands in no namespace
  const Bytes bytes = std::as_bytes(std::span(data, size));
  if (const auto quote = tpm::ParseQuote(bytes)) {
    if (quote->extra_data.size() > tpm::kMaxExtraDataBytes || quote->selection.Has(tpm::kPcrCount))
      std::abort();
    (void)tpm::IsOver(*quote, tpm::PcrValues{});
  }
  static const crypto::EcPublicKey key = crypto::EcPrivateKey::Generate(crypto::Curve::kP256).public_key();
  const auto signature = tpm::ParseSignature(bytes);
  if (signature && tpm::IsSignedBy(bytes, *signature, key)) std::abort();
  return 0;
}

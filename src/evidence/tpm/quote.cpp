#include "evidence/tpm/quote.h"

namespace portcullis::tpm {
namespace {

constexpr std::uint32_t kGenerated = 0xFF544347;  // TPM_GENERATED_VALUE: no key signs foreign bytes with it
constexpr std::uint16_t kAttestQuote = 0x8018;    // TPM_ST_ATTEST_QUOTE
constexpr std::uint16_t kSha256 = 0x000B;         // TPM_ALG_SHA256
constexpr std::uint8_t kSelectBytes = 3;          // 24 PCRs, as PC clients have
constexpr std::size_t kMaxNameBytes = 2 + 64;     // algorithm and digest

Error Malformed(StaticText why) { return {ReasonCode::kEvidenceMalformed, why}; }

/// A TPM2B: a size of 16 bits, then as many bytes.
Result<ByteBuffer> TakeSized(ByteReader& in, std::size_t limit) {
  const auto size = TRY(in.TakeBig<std::uint16_t>());
  if (size > limit) return Malformed("a TPM2B is longer than it may be");
  const Bytes bytes = TRY(in.Take(size));
  return ToBuffer(bytes);
}

Result<ClockInfo> TakeClock(ByteReader& in) {
  ClockInfo out{};
  out.clock = TRY(in.TakeBig<std::uint64_t>());
  out.reset_count = TRY(in.TakeBig<std::uint32_t>());
  out.restart_count = TRY(in.TakeBig<std::uint32_t>());
  const auto safe = TRY(in.TakeBig<std::uint8_t>());
  if (safe > 1) return Malformed("clockInfo.safe is neither yes nor no");
  out.safe = safe == 1;
  return out;
}

/// A TPML_PCR_SELECTION of exactly one bank.
Result<PcrSelection> TakeSelection(ByteReader& in) {
  const auto banks = TRY(in.TakeBig<std::uint32_t>());
  if (banks != 1) return Malformed("a quote must be over exactly one bank of PCRs");
  const auto hash = TRY(in.TakeBig<std::uint16_t>());
  if (hash != kSha256) return Malformed("a quote must be over the SHA-256 bank of PCRs");
  const auto size = TRY(in.TakeBig<std::uint8_t>());
  if (size != kSelectBytes) return Malformed("a selection of PCRs must have 24 bits");
  std::uint32_t bits = 0;  // the first octet holds PCR 0 to 7, each its lowest bit first
  for (unsigned octet = 0; octet < kSelectBytes; ++octet) {
    const std::uint32_t value = TRY(in.TakeBig<std::uint8_t>());
    bits |= value << (8 * octet);
  }
  return PcrSelection(bits);
}

}  // namespace

Result<Quote> ParseQuote(Bytes bytes) {
  if (bytes.size() > kMaxQuoteBytes) return Malformed("a TPM quote is above 512 bytes");
  ByteReader in(bytes);
  const auto magic = TRY(in.TakeBig<std::uint32_t>());
  if (magic != kGenerated) return Malformed("not made by a TPM: TPMS_ATTEST magic");
  const auto type = TRY(in.TakeBig<std::uint16_t>());
  if (type != kAttestQuote) return Malformed("not a quote: TPMS_ATTEST type");

  Quote out{};
  out.qualified_signer = TRY(TakeSized(in, kMaxNameBytes));
  out.extra_data = TRY(TakeSized(in, kMaxExtraDataBytes));
  out.clock = TRY(TakeClock(in));
  out.firmware_version = TRY(in.TakeBig<std::uint64_t>());
  out.selection = TRY(TakeSelection(in));
  out.pcr_digest = TRY(TakeSized(in, crypto::Sha384Digest::kSize));
  if (out.pcr_digest.size() != crypto::Sha256Digest::kSize &&
      out.pcr_digest.size() != crypto::Sha384Digest::kSize)
    return Malformed("a digest of PCRs must be of SHA-256 or SHA-384");
  TRY(in.Finish());
  return out;
}

bool IsOver(const Quote& quote, const PcrValues& pcrs) {
  ByteBuffer selected;
  for (unsigned pcr = 0; pcr < kPcrCount; ++pcr)
    if (quote.selection.Has(pcr)) Append(selected, pcrs[pcr].bytes());
  return quote.pcr_digest.size() == crypto::Sha384Digest::kSize
             ? SameBytes(quote.pcr_digest, crypto::Sha384(selected).bytes())
             : SameBytes(quote.pcr_digest, crypto::Sha256(selected).bytes());
}

}  // namespace portcullis::tpm

#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/digest.h"

namespace portcullis::tpm {

inline constexpr std::size_t kPcrCount = 24;
inline constexpr std::size_t kMaxQuoteBytes = 512;     // a TPMS_ATTEST of a quote has at most 251
inline constexpr std::size_t kMaxExtraDataBytes = 64;  // TPM2B_DATA: a digest's size

/// The SHA-256 bank as it was read; only those that a quote selects are anybody's word.
using PcrValues = std::array<crypto::Sha256Digest, kPcrCount>;

/// Which PCRs of the SHA-256 bank a quote is over.
class PcrSelection {
 public:
  constexpr PcrSelection() = default;
  constexpr explicit PcrSelection(std::uint32_t bits) : bits_(bits) {}
  static constexpr PcrSelection All() { return PcrSelection(0xFFFFFF); }
  constexpr std::uint32_t bits() const { return bits_; }
  constexpr bool Has(unsigned pcr) const { return pcr < kPcrCount && ((bits_ >> pcr) & 1) != 0; }
  bool operator==(const PcrSelection&) const = default;

 private:
  std::uint32_t bits_ = 0;
};

struct ClockInfo {
  std::uint64_t clock;  // milliseconds that the TPM was powered
  std::uint32_t reset_count, restart_count;
  bool safe;
};

/// A TPMS_ATTEST that quotes PCRs: well formed, not yet believed.
struct Quote {
  ByteBuffer qualified_signer;  // TPM2B_NAME of the key
  ByteBuffer extra_data;        // what the caller asked to be signed with it: at most kMaxExtraDataBytes
  ClockInfo clock;
  std::uint64_t firmware_version;
  PcrSelection selection;
  ByteBuffer pcr_digest;  // 32 bytes of SHA-256, or 48 of SHA-384: the hash of the signature's scheme
};

/// Parses a TPMS_ATTEST (TPM 2.0 Library, part 2, 10.12.12), big-endian, up to its last byte. Refused beside
/// what is not whole: a structure that a TPM did not make (magic), one that is no quote (type), any selection
/// but one of the SHA-256 bank with 24 bits. Error: EvidenceMalformed.
Result<Quote> ParseQuote(Bytes bytes);

/// Whether these are the PCRs that were quoted: the digest of the selected ones, in the order of their index.
bool IsOver(const Quote& quote, const PcrValues& pcrs);

}  // namespace portcullis::tpm

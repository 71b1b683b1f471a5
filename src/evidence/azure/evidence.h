#pragma once

#include <array>
#include <vector>

#include "codec/json.h"
#include "crypto/certificate.h"
#include "evidence/tpm/quote.h"

namespace portcullis::azure {

inline constexpr std::int64_t kMaxEvidenceVersion = 2;

/// What the vTPM of a confidential VM signed, and the PCRs that it says it read.
struct VtpmQuote {
  ByteBuffer message;    // TPMS_ATTEST
  ByteBuffer signature;  // RSASSA-PKCS1-v1_5 with SHA-256, bare
  tpm::PcrValues pcrs;
};

/// Evidence of an Azure confidential VM on SEV-SNP or on TDX. In versions 0 and 1 the hardware's report is
/// that of boot and only the vTPM's quote is fresh; from 2 on the report carries the report data too.
struct SnpEvidence {
  std::int64_t version;  // 0..2
  VtpmQuote quote;
  ByteBuffer hcl_report;
  std::vector<crypto::Certificate> certificates;  // the VCEK; none where it did not come along
};
struct TdxEvidence {
  std::int64_t version;
  VtpmQuote quote;
  ByteBuffer hcl_report;
  ByteBuffer td_quote;
};

/// The evidence JSON of Confidential Containers' attesters for az-snp-vtpm and az-tdx-vtpm: versions 1 and 2
/// with hex and base64url, and the one before versions were written, with arrays of integers and a VCEK in
/// PEM. Members that are missing, unknown or not whole are refused. Form only: the blobs are parsed by
/// hcl_report.h and tpm/quote.h. Errors: EvidenceMalformed, EvidenceVersionUnsupported.
Result<SnpEvidence> ParseSnpEvidence(const codec::Json& primary_evidence);
Result<TdxEvidence> ParseTdxEvidence(const codec::Json& primary_evidence);

}  // namespace portcullis::azure

#pragma once

#include <vector>

#include "codec/json.h"
#include "crypto/certificate.h"

namespace portcullis::snp {

struct CocoEvidence {
  ByteBuffer report;  // kReportSize bytes
  std::vector<crypto::Certificate> certificates;
};

/// The evidence of Confidential Containers' attester: {"attestation_report", "cert_chain"}, both as the sev
/// crate's structs serialise: integers, arrays of integers, a TCB as an object of components. The report is
/// written back into the bytes that were signed; a member that does not fit its field, is missing or is not
/// known is refused, since a report that was changed on the way says nothing. VCEK and VLEK of the chain are
/// kept, AMD's own certificates in it skipped. At most 16 certificates of 16 KiB.
/// Errors: EvidenceMalformed (with the member), EvidenceVersionUnsupported, ProductNotAllowed.
Result<CocoEvidence> ParseCocoEvidence(const codec::Json& primary_evidence);

}  // namespace portcullis::snp

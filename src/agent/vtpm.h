#pragma once

#include "agent/tsm.h"
#include "evidence/tpm/quote.h"

namespace portcullis::agent {

/// A quote of all 24 SHA-256 PCRs, and the PCRs as they were read beside it.
struct PcrQuote {
  ByteBuffer message;    // TPMS_ATTEST
  ByteBuffer signature;  // RSASSA-PKCS1-v1_5 with SHA-256, bare
  tpm::PcrValues pcrs;
};

/// The vTPM of an Azure confidential VM, as a port: its paravisor (HCL) keeps the attestation key at
/// 0x81000003, the hardware's report at NV index 0x01400001, and takes report data at 0x01400002. Errors:
/// NotFound (no TPM, or nothing at that index), Overloaded (the TPM asks to try again), InternalError.
class Vtpm {
 public:
  virtual ~Vtpm() = default;
  virtual Result<ByteBuffer> ReadHclReport() = 0;
  /// Asks the paravisor for a report of the hardware over this data; it comes a little later.
  virtual Result<> WriteReportData(const ReportData& report_data) = 0;
  virtual Result<tpm::PcrValues> ReadPcrs() = 0;
  virtual Result<PcrQuote> Quote(Bytes extra_data) = 0;
};

}  // namespace portcullis::agent

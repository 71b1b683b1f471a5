#pragma once

#include <array>
#include <optional>
#include <string>

#include "codec/json.h"
#include "crypto/digest.h"
#include "tests/lab/x509_writer.h"

namespace portcullis::lab {

/// What a vTPM quotes and what a paravisor says; the defaults are a healthy VM's.
struct AzureState {
  std::array<crypto::Sha256Digest, 24> pcrs;  // PCR 8 zeros, as long as no init-data was extended
  std::uint32_t selection = 0xFFFFFF;
  bool secure_boot = true;
  std::string vm_id = "6332533D-5649-4D02-8AA7-8F64B7C3EE21";
  std::uint32_t reset_count = 1, restart_count = 0;

  AzureState();
  /// As the guest does at boot: PCR 8 becomes SHA-256(zeros, digest).
  void ExtendInitData(const crypto::Sha256Digest& digest);
};

/// The vTPM's word: TPMS_ATTEST and its bare signature.
struct TpmQuoteParts {
  ByteBuffer message, signature;
};

/// The fields of a TD that a TDREPORT shows.
struct TdReportParts {
  Bytes mr_td;  // 48 bytes each
  std::array<Bytes, 4> rtmrs;
};

/// An Azure confidential VM without its hardware: the paravisor's HCL report and the vTPM's quote, under an
/// attestation key of its own. The hardware's report over ReportDataFor(var data) comes from the SNP or TDX
/// lab. Immutable, thread-safe, cheap to copy.
class AzureVm {
 public:
  /// Makes an RSA-2048 key: some hundred milliseconds.
  static AzureVm Generate();
  /// One for all tests of a process.
  static const AzureVm& Shared();

  /// The paravisor's JSON; user_data as 64 bytes, zeros where the guest asked for nothing.
  std::string VarData(const AzureState& state,
                      const std::optional<std::array<std::byte, 64>>& user_data) const;
  /// A TPMS_ATTEST over the selected PCRs with `extra_data` in it, and its signature.
  TpmQuoteParts Quote(const AzureState& state, Bytes extra_data) const;
  /// RSASSA-PKCS1-v1_5 with SHA-256 by the attestation key.
  ByteBuffer Sign(Bytes message) const;

 private:
  explicit AzureVm(SharedKey key) : key_(std::move(key)) {}
  SharedKey key_;
};

/// SHA-256(var data) and zeros: what the hardware signs.
std::array<std::byte, 64> ReportDataFor(std::string_view var_data);
/// What stands at NV index 0x01400001: 2600 bytes; type 2 for SNP, 4 for TDX.
ByteBuffer HclReportOf(std::uint32_t type, Bytes hardware_report, std::string_view var_data);
/// A TDREPORT with these fields and zeros elsewhere: its MAC is for its own machine, and nobody here looks.
ByteBuffer TdReportOf(const TdReportParts& parts, Bytes report_data);

/// Evidence as an attester of this version (0..2) writes it. `hardware` is the VCEK in DER on SNP ("vcek") or
/// the quote on TDX ("td_quote").
codec::Json AzureSnpEvidence(std::int64_t version, const AzureState& state, const TpmQuoteParts& quote,
                             Bytes hcl_report, Bytes vcek);
codec::Json AzureTdxEvidence(std::int64_t version, const AzureState& state, const TpmQuoteParts& quote,
                             Bytes hcl_report, Bytes td_quote);

}  // namespace portcullis::lab

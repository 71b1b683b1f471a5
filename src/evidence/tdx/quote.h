#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "evidence/tdx/collateral.h"
#include "evidence/tdx/reference_values.h"

namespace portcullis::tdx {

inline constexpr std::size_t kMaxQuoteBytes = 64 * 1024;   // genuine ones have 5 KiB, padded ones 8000 bytes
inline constexpr std::size_t kMaxPaddingBytes = 8 * 1024;  // zeros that a guest's buffer had behind the quote
inline constexpr std::size_t kMaxQeAuthBytes = 1024;       // 32 in all genuine quotes
inline constexpr std::size_t kEcdsaSignatureSize = 64;     // r || s of P-256, big-endian
inline constexpr std::size_t kAttestationKeySize = 64;     // x || y of P-256
inline constexpr std::size_t kQeReportSize = 384;

using TeeTcbSvn = FixedBytes<struct TeeTcbSvnTag, 16>;  // [0] module SVN, [1] module version, [2] microcode
using QeUserData = FixedBytes<struct QeUserDataTag, 20>;
using QeSigner = FixedBytes<struct QeSignerTag, 32>;
using QeAttributes = FixedBytes<struct QeAttributesTag, 16>;

/// What TDX 1.5 added to the report body.
struct TdReport15 {
  TeeTcbSvn tee_tcb_svn_2;  // of the module that runs now; tee_tcb_svn is the one that launched the TD
  Measurement mr_service_td;
};

/// The TD's report body (Intel TDX DCAP Quoting Library API, TD Quote Body).
struct TdReport {
  TeeTcbSvn tee_tcb_svn;
  Measurement mr_seam, mr_signer_seam;
  std::uint64_t seam_attributes, td_attributes, xfam;
  Measurement mr_td, mr_config_id, mr_owner, mr_owner_config;
  std::array<Measurement, 4> rtmrs;
  ReportData report_data;
  std::optional<TdReport15> tdx15;
};

/// The quoting enclave's own SGX report.
struct QeReport {
  Bytes raw;  // kQeReportSize
  std::uint32_t misc_select;
  QeAttributes attributes;
  QeSigner mr_signer;
  std::uint16_t isv_prod_id, isv_svn;
  ReportData report_data;
};

/// A TDX quote as the guest sent it: well formed, not yet believed. Its views point into the bytes that it
/// was parsed from.
struct Quote {
  std::uint16_t version;  // 4 or 5
  QeUserData user_data;
  TdReport report;
  Bytes signed_part;  // header and body
  Bytes signature;    // over signed_part by the attestation key
  Bytes attestation_key;
  QeReport qe_report;
  Bytes qe_report_signature;  // by the PCK
  Bytes qe_auth_data;
  Bytes pck_chain;  // PEM: PCK, its CA, the root
  /// The attestation key and all that vouches for it: the same bytes in every quote of a platform until its
  /// TCB or its QE changes.
  Bytes platform_part;
};

/// Parses a quote of version 4 or 5 (tdx.md section 1): ECDSA P-256, a TD report of TDX 1.0 or 1.5, the PCK
/// chain as PEM. Every length must fit exactly; behind the quote only zeros may stand, at most
/// kMaxPaddingBytes. Allocates nothing. Says nothing about who signed it; Authenticate() in chain.h does.
/// Errors: EvidenceVersionUnsupported (version, key, body or certification data of another kind),
/// EvidenceMalformed; `where` is the row of kFormRows that refuses.
Result<Quote> ParseQuote(Bytes bytes);

/// What ParseQuote() refuses, in the order that it looks.
struct FormRow {
  std::string_view id;
  ReasonCode reason;
  std::string_view source, expected;
};
std::span<const FormRow> FormRows();
// Sources of all rows are short names, since a finding carries its own copy: the DCAP quote API is Intel's
// "TDX DCAP Quoting Library API", the PCS API its Provisioning Certification Service of version 4, the SGX
// PCK profile its "SGX PCK Certificate and CRL Profile", TCG PFP the "PC Client Platform Firmware Profile".

/// What the PCK certificate in a quote says of the platform: for finding collateral. Nothing of it is
/// verified here.
struct Platform {
  Fmspc fmspc;
  PckCa ca;
  Ppid ppid;
};
/// Errors: EvidenceMalformed, CertificateMismatch.
Result<Platform> PlatformOf(const Quote& quote);

}  // namespace portcullis::tdx

#pragma once

#include <array>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "crypto/rsa_public_key.h"

namespace portcullis::azure {

inline constexpr std::size_t kMaxHclBytes = 4096;  // the NV index holds 2600

/// The hardware's report within.
enum class ReportType : std::uint32_t { kSnp = 2, kTdx = 4 };

using UserData = FixedBytes<struct UserDataTag, 64>;

/// What Azure's paravisor (HCL) keeps in its vTPM at NV index 0x01400001: the hardware's report over data of
/// its own, and that data. Well formed, not yet believed: SHA-256(var_data) in the hardware report binds it.
struct HclReport {
  ReportType type;
  ByteBuffer hardware_report;  // SNP: the report of 1184 bytes; TDX: the TDREPORT of 1024
  ByteBuffer var_data;         // as hashed
  // What var_data says:
  crypto::RsaPublicKey attestation_key;  // JWK "HCLAkPub"
  bool secure_boot;
  std::string vm_id;                  // vmUniqueId, or ""
  std::optional<UserData> user_data;  // what the guest last asked to be reported; nullopt before HCL had it
};

/// Parses an HCL report (snp.md section 10, tdx.md section 10): header, hardware report, request data up to
/// its last byte, zeros behind. Data that is hashed with anything but SHA-256 is refused, as is a type that
/// is not `expected`. Error: EvidenceMalformed.
Result<HclReport> ParseHclReport(Bytes bytes, ReportType expected);

/// The fields of a TDREPORT that a quote of the same TD must show too.
struct TdReportFields {
  Bytes mr_td;  // 48 bytes each
  std::array<Bytes, 4> rtmrs;
  Bytes report_data;  // 64 bytes
};
/// Views into a hardware_report of type kTdx.
TdReportFields FieldsOfTdReport(Bytes td_report);

}  // namespace portcullis::azure

#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "evidence/snp/reference_values.h"

namespace portcullis::snp {

inline constexpr std::size_t kReportSize = 0x4A0;
inline constexpr std::size_t kSignedSize = 0x2A0;  // the signature is over the bytes before it
inline constexpr std::uint32_t kMinVersion = 3;
inline constexpr std::uint32_t kMaxVersion = 5;
inline constexpr std::uint32_t kMaxGuestVmpl = 3;
inline constexpr std::uint32_t kEcdsaP384Sha384 = 1;  // SIGNATURE_ALGO

std::string_view NameOf(Product product);  // "Milan", as in AMD's certificate names and KDS paths
std::string_view NameOf(KeyKind kind);     // "VCEK", "VLEK"

/// What the guest owner demanded at launch (AMD 56860, guest policy). Not part of the measurement.
class GuestPolicy {
 public:
  constexpr explicit GuestPolicy(std::uint64_t bits = 0) : bits_(bits) {}

  constexpr std::uint64_t bits() const { return bits_; }
  constexpr std::uint8_t abi_minor() const { return static_cast<std::uint8_t>(bits_); }
  constexpr std::uint8_t abi_major() const { return static_cast<std::uint8_t>(bits_ >> 8); }
  constexpr bool smt_allowed() const { return Bit(16); }
  constexpr bool migration_agent() const { return Bit(18); }
  constexpr bool debug() const { return Bit(19); }
  constexpr bool single_socket() const { return Bit(20); }
  constexpr bool cxl_allowed() const { return Bit(21); }
  constexpr bool aes_256_xts() const { return Bit(22); }
  constexpr bool rapl_disabled() const { return Bit(23); }
  constexpr bool ciphertext_hiding() const { return Bit(24); }
  constexpr bool page_swap_disabled() const { return Bit(25); }
  /// Bit 17 must be one and bits 63:26 zero.
  constexpr bool reserved_bits_valid() const { return Bit(17) && (bits_ >> 26) == 0; }

 private:
  constexpr bool Bit(unsigned index) const { return ((bits_ >> index) & 1) != 0; }
  std::uint64_t bits_;
};

/// What the platform runs with. Unknown bits are no defect: a genuine Turin sets the reserved bit 6.
class PlatformInfo {
 public:
  constexpr explicit PlatformInfo(std::uint64_t bits = 0) : bits_(bits) {}

  constexpr std::uint64_t bits() const { return bits_; }
  constexpr bool smt_enabled() const { return Bit(0); }
  constexpr bool tsme_enabled() const { return Bit(1); }
  constexpr bool ecc_enabled() const { return Bit(2); }
  constexpr bool rapl_disabled() const { return Bit(3); }
  constexpr bool ciphertext_hiding() const { return Bit(4); }
  constexpr bool alias_check_complete() const { return Bit(5); }
  constexpr bool tio_enabled() const { return Bit(7); }

 private:
  constexpr bool Bit(unsigned index) const { return ((bits_ >> index) & 1) != 0; }
  std::uint64_t bits_;
};

/// KEY_INFO: which key signed, and whether an author key is in force.
class KeyInfo {
 public:
  constexpr explicit KeyInfo(std::uint32_t bits = 0) : bits_(bits) {}

  constexpr std::uint32_t bits() const { return bits_; }
  constexpr bool author_key_enabled() const { return (bits_ & 1) != 0; }
  constexpr bool chip_key_masked() const { return (bits_ & 2) != 0; }  // then there is no signature
  constexpr std::uint32_t signing_key() const { return (bits_ >> 2) & 7; }
  constexpr bool reserved_bits_valid() const { return (bits_ >> 5) == 0; }

 private:
  std::uint32_t bits_;
};

struct FirmwareVersion {
  std::uint8_t major = 0, minor = 0, build = 0;
  auto operator<=>(const FirmwareVersion&) const = default;
};

struct CpuId {
  std::uint8_t family, model, stepping;
  bool operator==(const CpuId&) const = default;
};

/// R or S: little-endian, 48 significant bytes and 24 that must be zero (the signature check looks).
using SignatureComponent = FixedBytes<struct SignatureComponentTag, 72>;

/// An ATTESTATION_REPORT as the guest sent it: well formed, not yet believed.
struct Report {
  std::uint32_t version;  // 3..5
  std::uint32_t guest_svn;
  GuestPolicy policy;
  FamilyId family_id;
  ImageId image_id;
  std::uint32_t vmpl;                 // 0..3; 0xFFFFFFFF when the host asked
  std::uint32_t signature_algorithm;  // 1 is ECDSA P-384 with SHA-384, the only one known
  Tcb current_tcb;
  PlatformInfo platform_info;
  KeyInfo key_info;
  ReportData report_data;
  Measurement measurement;
  HostData host_data;
  KeyDigest id_key_digest;
  KeyDigest author_key_digest;
  ReportId report_id;
  ReportId report_id_ma;  // all 0xFF where there is no migration agent
  Tcb reported_tcb;       // for which the signing key was derived
  CpuId cpuid;
  Product product;  // of cpuid; it chose the layout of every TCB here
  ChipId chip_id;   // zero where masked; Turin uses 8 bytes
  Tcb committed_tcb;
  FirmwareVersion current_firmware;
  FirmwareVersion committed_firmware;
  Tcb launch_tcb;
  std::uint64_t launch_mitigations;   // 0 before version 5
  std::uint64_t current_mitigations;  // 0 before version 5
  SignatureComponent r, s;
};

/// The product of a processor. ProductNotAllowed where no root is pinned for it, and so no TCB layout is
/// known.
Result<Product> ProductOf(CpuId cpuid);

/// Parses an ATTESTATION_REPORT (AMD 56860 rev 1.58): little-endian, exactly kReportSize bytes.
/// Says nothing about who signed it; Authenticate() in chain.h does.
/// Errors: EvidenceMalformed (size, reserved bytes), EvidenceVersionUnsupported (outside 3..5),
/// ProductNotAllowed (a processor that is not known here).
Result<Report> ParseReport(Bytes bytes);

}  // namespace portcullis::snp

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace portcullis::snp {

using Measurement = FixedBytes<struct MeasurementTag, 48>;  // SHA-384 launch digest
using ReportData = FixedBytes<struct ReportDataTag, 64>;    // what the guest had signed
using HostData = FixedBytes<struct HostDataTag, 32>;        // what the host set at launch: init-data digest
using ChipId = FixedBytes<struct ChipIdTag, 64>;
using KeyDigest = FixedBytes<struct KeyDigestTag, 48>;  // SHA-384 of an ID or author key
using ReportId = FixedBytes<struct ReportIdTag, 32>;
using FamilyId = FixedBytes<struct FamilyIdTag, 16>;
using ImageId = FixedBytes<struct ImageIdTag, 16>;

enum class Product : std::uint8_t { kMilan, kGenoa, kTurin };
enum class KeyKind : std::uint8_t { kVcek, kVlek };

/// TCB components; fmc is Turin's only, and 0 elsewhere. Compared component by component, never as one
/// number.
struct Tcb {
  std::uint8_t fmc = 0, bootloader = 0, tee = 0, snp = 0, microcode = 0;
  bool operator==(const Tcb&) const = default;
  /// Every component at least the floor's.
  bool AtLeast(const Tcb& floor) const {
    return fmc >= floor.fmc && bootloader >= floor.bootloader && tee >= floor.tee && snp >= floor.snp &&
           microcode >= floor.microcode;
  }
};

/// One allowed processor, by CPUID family, model and stepping: microcode levels compare only within one.
struct AllowedProduct {
  std::uint8_t family, model, stepping;
  Tcb tcb_floor;                                                // for REPORTED, COMMITTED and LAUNCH
  std::uint8_t firmware_major, firmware_minor, firmware_build;  // for CURRENT and COMMITTED
  std::uint64_t launch_mitigations, current_mitigations;        // bits that must be set (v5; 0 demands none)
};

/// A rule on a digest that may be absent from a report.
template <typename T>
struct DigestRule {
  enum class Mode : std::uint8_t { kAny, kAbsent, kListed } mode;
  std::set<T> listed;  // for kListed
};

/// What a policy demands of an SNP report. Every member was said in the policy: nothing has a default.
struct ReferenceValues {
  std::uint32_t min_version;  // 3..5
  std::set<KeyKind> key_kinds;
  std::set<std::uint32_t> vmpls;                                 // of 0..3
  std::uint64_t guest_policy_must_set, guest_policy_must_clear;  // masks; DEBUG is refused whatever they say
  std::uint8_t min_abi_major, min_abi_minor;
  std::uint64_t platform_must_set, platform_must_clear;  // masks over PLATFORM_INFO
  bool provisional_firmware_allowed;
  std::set<ReportId> migration_agents;  // REPORT_ID_MA allowed where MIGRATE_MA is set
  std::vector<AllowedProduct> products;
  bool any_genuine_chip;  // else allowed_chips
  std::set<ChipId> allowed_chips, denied_chips;
  bool masked_chip_id_allowed;
  std::set<std::string> csps;          // for VLEK
  std::set<Measurement> measurements;  // never empty
  std::uint32_t min_guest_svn;
  DigestRule<FamilyId> family_id;
  DigestRule<ImageId> image_id;
  DigestRule<KeyDigest> id_key, author_key;
  std::chrono::seconds max_crl_age;  // of AMD's revocation list, from its thisUpdate
};

/// What this one attestation must show, beside the policy.
struct Binding {
  ReportData report_data;             // H(nonce, key), zero-padded
  std::optional<HostData> host_data;  // init-data digest; nullopt demands zeros
};

}  // namespace portcullis::snp

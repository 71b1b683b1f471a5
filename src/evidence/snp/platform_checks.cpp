#include <algorithm>

#include "codec/text.h"
#include "evidence/snp/tables.h"
#include "evidence/snp/text.h"

namespace portcullis::snp {
namespace {

using enum ReasonCode;
using evidence::Check;
using evidence::Comparison;

Comparison NothingToCompareWith() {
  return {.passed = false, .expected = {}, .actual = {}, .evaluated = false};
}

/// What the policy says of this very processor: microcode levels compare only within family, model and
/// stepping.
const AllowedProduct* RuleFor(const Subject& s) {
  const CpuId cpuid = s.report->cpuid;
  const auto rule = std::ranges::find_if(s.reference.products, [&](const AllowedProduct& allowed) {
    return CpuId{allowed.family, allowed.model, allowed.stepping} == cpuid;
  });
  return rule == s.reference.products.end() ? nullptr : &*rule;
}

Comparison VersionAllowed(const Subject& s) {
  return {s.report->version >= s.reference.min_version, "at least " + std::to_string(s.reference.min_version),
          FromReport(std::to_string(s.report->version), "0x000")};
}

Comparison KeyKindAllowed(const Subject& s) {
  return {s.reference.key_kinds.contains(s.report.key_kind()),
          OneOf(s.reference.key_kinds, [](KeyKind kind) { return std::string(NameOf(kind)); }),
          FromReport(std::string(NameOf(s.report.key_kind())), "0x048")};
}

Comparison ProductAllowed(const Subject& s) {
  const auto text = [](const AllowedProduct& p) { return TextOf(CpuId{p.family, p.model, p.stepping}); };
  return {RuleFor(s) != nullptr, OneOf(s.reference.products, text),
          FromReport(TextOf(s.report->cpuid), "0x188")};
}

Comparison TcbFloor(const Subject& s, const Tcb& actual, std::string_view offset) {
  const AllowedProduct* rule = RuleFor(s);
  if (rule == nullptr) return NothingToCompareWith();
  const auto text = [&](const Tcb& tcb) { return TextOf(tcb, s.report->product); };
  return {actual.AtLeast(rule->tcb_floor), "at least " + text(rule->tcb_floor),
          FromReport(text(actual), offset)};
}
Comparison TcbFloorReported(const Subject& s) { return TcbFloor(s, s.report->reported_tcb, "0x180"); }
Comparison TcbFloorCommitted(const Subject& s) { return TcbFloor(s, s.report->committed_tcb, "0x1E0"); }
Comparison TcbFloorLaunch(const Subject& s) { return TcbFloor(s, s.report->launch_tcb, "0x1F0"); }

Comparison FirmwareFloor(const Subject& s, const FirmwareVersion& actual, std::string_view offset) {
  const AllowedProduct* rule = RuleFor(s);
  if (rule == nullptr) return NothingToCompareWith();
  const FirmwareVersion floor{rule->firmware_major, rule->firmware_minor, rule->firmware_build};
  return {actual >= floor, "at least " + TextOf(floor), FromReport(TextOf(actual), offset)};
}
Comparison FirmwareFloorCurrent(const Subject& s) {
  return FirmwareFloor(s, s.report->current_firmware, "0x1E8");
}
Comparison FirmwareFloorCommitted(const Subject& s) {
  return FirmwareFloor(s, s.report->committed_firmware, "0x1EC");
}

Comparison AllBitsSet(std::uint64_t wanted, std::uint64_t actual, std::string_view offset) {
  return {(actual & wanted) == wanted, "all of " + HexNumber(wanted) + " set",
          FromReport(HexNumber(actual), offset)};
}
Comparison AllBitsClear(std::uint64_t unwanted, std::uint64_t actual, std::string_view offset) {
  return {(actual & unwanted) == 0, "all of " + HexNumber(unwanted) + " clear",
          FromReport(HexNumber(actual), offset)};
}

/// Reports before version 5 carry no vector: zero, and so refused where any mitigation is demanded.
Comparison MitigationsLaunch(const Subject& s) {
  const AllowedProduct* rule = RuleFor(s);
  if (rule == nullptr) return NothingToCompareWith();
  return AllBitsSet(rule->launch_mitigations, s.report->launch_mitigations, "0x1F8");
}
Comparison MitigationsCurrent(const Subject& s) {
  const AllowedProduct* rule = RuleFor(s);
  if (rule == nullptr) return NothingToCompareWith();
  return AllBitsSet(rule->current_mitigations, s.report->current_mitigations, "0x200");
}

/// Firmware that is not committed can be rolled back under the running guest.
Comparison ProvisionalFirmware(const Subject& s) {
  const bool committed = s.report->current_tcb == s.report->committed_tcb &&
                         s.report->current_firmware == s.report->committed_firmware;
  return {committed || s.reference.provisional_firmware_allowed,
          s.reference.provisional_firmware_allowed ? "committed or not" : "CURRENT = COMMITTED",
          FromReport(committed ? "committed" : "provisional", "0x038, 0x1E0, 0x1E8")};
}

Comparison PlatformMustSet(const Subject& s) {
  return AllBitsSet(s.reference.platform_must_set, s.report->platform_info.bits(), "0x040");
}
Comparison PlatformMustClear(const Subject& s) {
  return AllBitsClear(s.reference.platform_must_clear, s.report->platform_info.bits(), "0x040");
}

/// The chip that signed: CHIP_ID, or where that is masked the certificate's hardware id. Zero under a VLEK of
/// a provider that hides it.
ChipId SigningChip(const AuthenticReport& report) {
  const auto& hwid = report.leaf().hwid;
  if (!report->chip_id.IsZero() || !hwid) return report->chip_id;
  std::array<std::byte, ChipId::kSize> padded{};
  std::ranges::copy(*hwid, padded.begin());
  return ChipId(padded);
}
std::string ChipText(const ChipId& chip) { return codec::EncodeHex(chip.bytes()); }

/// A list of chips is a rule on VCEKs; a VLEK is its provider's word, held to snp.csp-allowed.
Comparison ChipAllowed(const Subject& s) {
  const ChipId chip = SigningChip(s.report);
  const std::string actual = FromReport(ChipText(chip), "0x1A0");
  if (s.report.key_kind() == KeyKind::kVlek) return {true, "any chip of the provider", actual};
  if (s.reference.any_genuine_chip) return {true, "any genuine chip", actual};
  return {s.reference.allowed_chips.contains(chip), OneOf(s.reference.allowed_chips, ChipText), actual};
}

Comparison ChipNotDenied(const Subject& s) {
  const ChipId chip = SigningChip(s.report);
  return {!s.reference.denied_chips.contains(chip),
          "none of " + std::to_string(s.reference.denied_chips.size()) + " denied chips",
          FromReport(ChipText(chip), "0x1A0")};
}

Comparison MaskedChipId(const Subject& s) {
  const bool masked = s.report->chip_id.IsZero() && s.report.key_kind() == KeyKind::kVcek;
  return {!masked || s.reference.masked_chip_id_allowed,
          s.reference.masked_chip_id_allowed ? "masked or not" : "a chip id with a VCEK",
          FromReport(masked ? "masked" : "as expected", "0x1A0")};
}

Comparison CspAllowed(const Subject& s) {
  const auto& csp_id = s.report.leaf().csp_id;
  if (s.report.key_kind() == KeyKind::kVcek) return {true, "a provider's name only in a VLEK", "a VCEK"};
  return {csp_id && s.reference.csps.contains(*csp_id), OneOf(s.reference.csps, Quoted),
          csp_id ? Quoted(*csp_id) : "absent"};
}

constexpr Check<Subject> kRows[] = {
    {"snp.version-allowed", kEvidenceVersionUnsupported, "AMD 56860, ATTESTATION_REPORT VERSION",
     VersionAllowed},
    {"snp.key-kind-allowed", kChipNotAllowed, "AMD 56860, SIGNING_KEY", KeyKindAllowed},
    {"snp.product-allowed", kProductNotAllowed, "AMD 56860, CPUID_FAM_ID, CPUID_MOD_ID, CPUID_STEP",
     ProductAllowed},
    {"snp.tcb-floor-reported", kTcbBelowFloor, "AMD 56860, REPORTED_TCB", TcbFloorReported},
    {"snp.tcb-floor-committed", kTcbBelowFloor, "AMD 56860, COMMITTED_TCB", TcbFloorCommitted},
    {"snp.tcb-floor-launch", kTcbBelowFloor, "AMD 56860, LAUNCH_TCB", TcbFloorLaunch},
    {"snp.firmware-floor-current", kFirmwareTooOld, "AMD 56860, CURRENT_BUILD to CURRENT_MAJOR",
     FirmwareFloorCurrent},
    {"snp.firmware-floor-committed", kFirmwareTooOld, "AMD 56860, COMMITTED_BUILD to COMMITTED_MAJOR",
     FirmwareFloorCommitted},
    {"snp.provisional-firmware", kProvisionalFirmware, "AMD 56860, SNP_COMMIT", ProvisionalFirmware},
    {"snp.mitigations-launch", kFirmwareTooOld, "AMD 56860, LAUNCH_MIT_VECTOR", MitigationsLaunch},
    {"snp.mitigations-current", kFirmwareTooOld, "AMD 56860, CURRENT_MIT_VECTOR", MitigationsCurrent},
    {"snp.platform-must-set", kPlatformNotAllowed, "AMD 56860, PLATFORM_INFO", PlatformMustSet},
    {"snp.platform-must-clear", kPlatformNotAllowed, "AMD 56860, PLATFORM_INFO", PlatformMustClear},
    {"snp.chip-allowed", kChipNotAllowed, "AMD 56860, CHIP_ID", ChipAllowed},
    {"snp.chip-not-denied", kChipNotAllowed, "AMD 56860, CHIP_ID", ChipNotDenied},
    {"snp.masked-chip-id", kChipNotAllowed, "AMD 56860, MASK_CHIP_ID", MaskedChipId},
    {"snp.csp-allowed", kChipNotAllowed, "AMD 57230, cspID", CspAllowed},
};

}  // namespace

std::span<const Check<Subject>> PlatformChecks() { return kRows; }

}  // namespace portcullis::snp

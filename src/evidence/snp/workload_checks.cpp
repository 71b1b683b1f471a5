#include <algorithm>
#include <tuple>

#include "codec/text.h"
#include "evidence/snp/tables.h"
#include "evidence/snp/text.h"

namespace portcullis::snp {
namespace {

using enum ReasonCode;
using evidence::Check;
using evidence::Comparison;

template <typename T>
std::string HexOf(const T& value) {
  return codec::EncodeHex(value.bytes());
}

Comparison VmplAllowed(const Subject& s) {
  return {s.reference.vmpls.contains(s.report->vmpl),
          OneOf(s.reference.vmpls, [](std::uint32_t vmpl) { return std::to_string(vmpl); }),
          FromReport(std::to_string(s.report->vmpl), "0x030")};
}

Comparison PolicyMustSet(const Subject& s) {
  const std::uint64_t wanted = s.reference.guest_policy_must_set, actual = s.report->policy.bits();
  return {(actual & wanted) == wanted, "all of " + HexNumber(wanted) + " set",
          FromReport(HexNumber(actual), "0x008")};
}
Comparison PolicyMustClear(const Subject& s) {
  const std::uint64_t unwanted = s.reference.guest_policy_must_clear, actual = s.report->policy.bits();
  return {(actual & unwanted) == 0, "all of " + HexNumber(unwanted) + " clear",
          FromReport(HexNumber(actual), "0x008")};
}

Comparison MinAbi(const Subject& s) {
  const auto text = [](std::uint8_t major, std::uint8_t minor) {
    return std::to_string(major) + "." + std::to_string(minor);
  };
  const GuestPolicy policy = s.report->policy;
  const bool enough = std::tuple(policy.abi_major(), policy.abi_minor()) >=
                      std::tuple(s.reference.min_abi_major, s.reference.min_abi_minor);
  return {enough, "at least " + text(s.reference.min_abi_major, s.reference.min_abi_minor),
          FromReport(text(policy.abi_major(), policy.abi_minor()), "0x008")};
}

/// Without a migration agent firmware fills REPORT_ID_MA with ones; with one, the agent must be a known one.
Comparison MigrationAllowed(const Subject& s) {
  const ReportId& agent = s.report->report_id_ma;
  const bool none = std::ranges::all_of(agent.bytes(), [](std::byte b) { return b == std::byte{0xFF}; });
  const bool asked = s.report->policy.migration_agent();
  const std::string actual = FromReport(none ? "no agent" : HexOf(agent), "0x160") +
                             (asked ? ", guest policy bit 18 set" : ", guest policy bit 18 clear");
  if (!asked) return {none, "no agent", actual};
  return {!none && s.reference.migration_agents.contains(agent),
          OneOf(s.reference.migration_agents, HexOf<ReportId>), actual};
}

Comparison MeasurementAllowed(const Subject& s) {
  return {s.reference.measurements.contains(s.report->measurement),
          OneOf(s.reference.measurements, HexOf<Measurement>),
          FromReport(HexOf(s.report->measurement), "0x090")};
}

/// No init-data expected means zeros: a host that sets some anyway did not start what was admitted.
Comparison HostDataIsExpected(const Subject& s) {
  const HostData expected = s.binding.host_data.value_or(HostData{});
  return {s.report->host_data == expected, HexOf(expected), FromReport(HexOf(s.report->host_data), "0x0C0")};
}

template <typename T>
Comparison DigestFits(const DigestRule<T>& rule, const T& actual, std::string_view offset) {
  using Mode = typename DigestRule<T>::Mode;
  const std::string text = FromReport(actual.IsZero() ? "absent" : HexOf(actual), offset);
  switch (rule.mode) {
    case Mode::kAny:
      return {true, "any", text};
    case Mode::kAbsent:
      return {actual.IsZero(), "absent", text};
    case Mode::kListed:
      return {rule.listed.contains(actual), OneOf(rule.listed, HexOf<T>), text};
  }
  return {false, "a rule", text};
}

Comparison FamilyIdFits(const Subject& s) {
  return DigestFits(s.reference.family_id, s.report->family_id, "0x010");
}
Comparison ImageIdFits(const Subject& s) {
  return DigestFits(s.reference.image_id, s.report->image_id, "0x020");
}
Comparison IdKeyFits(const Subject& s) {
  return DigestFits(s.reference.id_key, s.report->id_key_digest, "0x0E0");
}
/// Without AUTHOR_KEY_EN the digest says nothing (snp.author-key-consistent holds it to zero).
Comparison AuthorKeyFits(const Subject& s) {
  const bool enabled = s.report->key_info.author_key_enabled();
  return DigestFits(s.reference.author_key, enabled ? s.report->author_key_digest : KeyDigest{}, "0x110");
}

Comparison GuestSvn(const Subject& s) {
  return {s.report->guest_svn >= s.reference.min_guest_svn,
          "at least " + std::to_string(s.reference.min_guest_svn),
          FromReport(std::to_string(s.report->guest_svn), "0x004")};
}

Comparison ReportDataBinds(const Subject& s) {
  return {s.report->report_data == s.binding.report_data, HexOf(s.binding.report_data),
          FromReport(HexOf(s.report->report_data), "0x050")};
}

constexpr Check<Subject> kRows[] = {
    {"snp.vmpl-allowed", kPrivilegeLevelNotAllowed, "AMD 56860, ATTESTATION_REPORT VMPL", VmplAllowed},
    {"snp.guest-policy-must-set", kGuestPolicyNotAllowed, "AMD 56860, guest policy", PolicyMustSet},
    {"snp.guest-policy-must-clear", kGuestPolicyNotAllowed, "AMD 56860, guest policy", PolicyMustClear},
    {"snp.min-abi", kGuestPolicyNotAllowed, "AMD 56860, guest policy bits 15:0", MinAbi},
    {"snp.migration-allowed", kMigrationNotAllowed, "AMD 56860, guest policy bit 18 and REPORT_ID_MA",
     MigrationAllowed},
    {"snp.measurement-allowed", kMeasurementNotAllowed, "RFC 9334, 8.3", MeasurementAllowed},
    {"snp.host-data", kInitDataMismatch, "AMD 56860, HOST_DATA", HostDataIsExpected},
    {"snp.family-id", kIdentityKeyNotAllowed, "AMD 56860, ID block FAMILY_ID", FamilyIdFits},
    {"snp.image-id", kIdentityKeyNotAllowed, "AMD 56860, ID block IMAGE_ID", ImageIdFits},
    {"snp.guest-svn", kIdentityKeyNotAllowed, "AMD 56860, ID block GUEST_SVN", GuestSvn},
    {"snp.id-key", kIdentityKeyNotAllowed, "AMD 56860, ID_KEY_DIGEST", IdKeyFits},
    {"snp.author-key", kIdentityKeyNotAllowed, "AMD 56860, AUTHOR_KEY_DIGEST", AuthorKeyFits},
    {"snp.report-data", kReportDataMismatch, "AMD 56860, REPORT_DATA", ReportDataBinds},
};

}  // namespace

std::span<const Check<Subject>> WorkloadChecks() { return kRows; }

}  // namespace portcullis::snp

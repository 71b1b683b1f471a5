#include "evidence/snp/checks.h"
#include "evidence/snp/text.h"

namespace portcullis::snp {
namespace {

using enum ReasonCode;
using evidence::Check;
using evidence::Comparison;

std::string PolicyText(const Report& report) { return FromReport(HexNumber(report.policy.bits()), "0x008"); }

Comparison DebugOff(const AuthenticReport& report) {
  return {!report->policy.debug(), "bit 19 clear", PolicyText(*report)};
}

Comparison VmplIsGuest(const AuthenticReport& report) {
  return {report->vmpl <= kMaxGuestVmpl, "0..3", FromReport(std::to_string(report->vmpl), "0x030")};
}

Comparison PolicyReserved(const AuthenticReport& report) {
  return {report->policy.reserved_bits_valid(), "bit 17 set, bits 26 to 63 clear", PolicyText(*report)};
}

Comparison SmtConsistent(const AuthenticReport& report) {
  const bool smt_on = report->platform_info.smt_enabled();
  return {!smt_on || report->policy.smt_allowed(), "SMT on only where guest policy bit 16 allows it",
          FromReport(smt_on ? "on" : "off", "0x040") + ", policy " + PolicyText(*report)};
}

Comparison TcbOrder(const AuthenticReport& report) {
  const auto text = [&](const Tcb& tcb) { return TextOf(tcb, report->product); };
  return {report->committed_tcb.AtLeast(report->reported_tcb) &&
              report->current_tcb.AtLeast(report->committed_tcb),
          "REPORTED <= COMMITTED <= CURRENT",
          FromReport(text(report->reported_tcb), "0x180") + ", " +
              FromReport(text(report->committed_tcb), "0x1E0") + ", " +
              FromReport(text(report->current_tcb), "0x038")};
}

Comparison FirmwareOrder(const AuthenticReport& report) {
  return {report->committed_firmware <= report->current_firmware, "COMMITTED <= CURRENT",
          FromReport(TextOf(report->committed_firmware), "0x1EC") + ", " +
              FromReport(TextOf(report->current_firmware), "0x1E8")};
}

Comparison AuthorKeyConsistent(const AuthenticReport& report) {
  const bool enabled = report->key_info.author_key_enabled();
  return {enabled || report->author_key_digest.IsZero(), "a digest only with AUTHOR_KEY_EN",
          FromReport(report->author_key_digest.IsZero() ? "no digest" : "a digest", "0x110") +
              (enabled ? ", enabled" : ", not enabled")};
}

constexpr Check<AuthenticReport> kRows[] = {
    {"snp.debug-off", kDebugEnabled, "AMD 56860, guest policy bit 19", DebugOff},
    {"snp.vmpl-is-guest", kPrivilegeLevelNotAllowed, "AMD 56860, ATTESTATION_REPORT VMPL", VmplIsGuest},
    {"snp.guest-policy-reserved", kGuestPolicyNotAllowed, "AMD 56860, guest policy bits 17 and 63:26",
     PolicyReserved},
    {"snp.smt-consistent", kPlatformNotAllowed, "AMD 56860, guest policy bit 16", SmtConsistent},
    {"snp.tcb-order", kTcbBelowFloor, "AMD 56860, TCB_VERSION", TcbOrder},
    {"snp.firmware-order", kFirmwareTooOld, "AMD 56860, SNP_COMMIT", FirmwareOrder},
    {"snp.author-key-consistent", kIdentityKeyNotAllowed, "AMD 56860, AUTHOR_KEY_EN", AuthorKeyConsistent},
};

}  // namespace

std::span<const Check<AuthenticReport>> BaselineChecks() { return kRows; }

}  // namespace portcullis::snp

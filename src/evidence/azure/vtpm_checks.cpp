#include "evidence/azure/vtpm_checks.h"

#include <algorithm>

#include "codec/text.h"
#include "evidence/tpm/signature.h"

namespace portcullis::azure {
namespace {

using evidence::Comparison;

constexpr unsigned kInitDataPcr = 8;

std::string Hex(Bytes bytes) { return codec::EncodeHex(bytes); }
std::string PcrName(unsigned pcr) { return "PCR " + std::to_string(pcr); }

/// Nothing to compare with, since what it rests on failed.
Comparison Open(std::string expected) {
  return {.passed = false, .expected = std::move(expected), .actual = {}, .evaluated = false};
}

/// The paravisor's data names the attestation key: what the hardware did not sign may name any.
Comparison HclBound(const OriginSubject& s) {
  const UserData expected = ReportDataOf(s.hcl);
  if (!s.hardware) return Open(Hex(expected.bytes()));
  return {SameBytes(s.hardware->report_data, expected.bytes()), Hex(expected.bytes()),
          Hex(s.hardware->report_data)};
}

/// A TDREPORT has only a MAC for its own machine: the quote beside it must be of the same TD.
Comparison TdReportMatches(const OriginSubject& s) {
  const TdReportFields own = FieldsOfTdReport(s.hcl.hardware_report);
  std::string expected = "MRTD and RTMRs of the quote";
  if (!s.hardware) return Open(std::move(expected));
  const bool same = SameBytes(own.mr_td, s.hardware->mr_td) &&
                    SameBytes(own.report_data, s.hardware->report_data) &&
                    std::ranges::equal(own.rtmrs, s.hardware->rtmrs, SameBytes);
  return {same, std::move(expected), same ? "as expected" : "MRTD " + Hex(own.mr_td)};
}

Comparison QuoteSigned(const OriginSubject& s) {
  const tpm::RsaSignature signature{s.sent.signature};
  const bool valid = tpm::IsSignedBy(s.sent.message, signature, s.hcl.attestation_key);
  return {valid, "a signature by HCLAkPub, RSASSA with SHA-256", valid ? "verifies" : "does not verify"};
}

Comparison PcrsQuoted(const OriginSubject& s) {
  const bool over = tpm::IsOver(s.quote, s.sent.pcrs);
  return {over, Hex(s.quote.pcr_digest), over ? "as expected" : "another digest of the PCRs sent"};
}

/// Whole, not the beginning: an empty or short one would fit every challenge.
Comparison NonceQuoted(const PolicySubject& s) {
  return {SameBytes(s.quote.extra_data, s.binding.report_data), Hex(s.binding.report_data),
          Hex(s.quote.extra_data)};
}

/// What is not selected is nobody's word, whatever value is sent with it.
Comparison PcrsSelected(const PolicySubject& s) {
  std::string expected, missing;
  const auto require = [&](unsigned pcr) {
    expected += (expected.empty() ? "" : ", ") + PcrName(pcr);
    if (!s.quote.selection.Has(pcr)) missing += (missing.empty() ? "" : ", ") + PcrName(pcr);
  };
  for (const auto& [pcr, values] : s.reference.pcrs)
    if (pcr != kInitDataPcr) require(pcr);
  require(kInitDataPcr);
  return {missing.empty(), std::move(expected), missing.empty() ? "all quoted" : missing + " not quoted"};
}

Comparison PcrsAllowed(const PolicySubject& s) {
  std::string expected, wrong;
  for (const auto& [pcr, allowed] : s.reference.pcrs) {
    if (!s.quote.selection.Has(pcr)) return Open("allowed values of quoted PCRs");
    expected += (expected.empty() ? "" : ", ") + PcrName(pcr) + " of " + std::to_string(allowed.size());
    if (!allowed.contains(s.sent.pcrs[pcr]))
      wrong += (wrong.empty() ? "" : ", ") + PcrName(pcr) + " is " + Hex(s.sent.pcrs[pcr].bytes());
  }
  const bool any = !s.reference.pcrs.empty();
  return {any && wrong.empty(), any ? std::move(expected) : "none",
          wrong.empty() ? "as allowed" : std::move(wrong)};
}

/// Init-data is extended once into a PCR that starts as zeros.
crypto::Sha256Digest InitDataPcr(const std::optional<crypto::Sha256Digest>& init_data) {
  if (!init_data) return {};
  ByteBuffer extended(crypto::Sha256Digest::kSize);
  Append(extended, init_data->bytes());
  return crypto::Sha256(extended);
}
Comparison InitDataMeasured(const PolicySubject& s) {
  const crypto::Sha256Digest expected = InitDataPcr(s.binding.init_data);
  if (!s.quote.selection.Has(kInitDataPcr)) return Open(Hex(expected.bytes()));
  const crypto::Sha256Digest& actual = s.sent.pcrs[kInitDataPcr];
  return {actual == expected, Hex(expected.bytes()), Hex(actual.bytes())};
}

Comparison SecureBootOn(const PolicySubject& s) {
  return {s.hcl.secure_boot || !s.reference.secure_boot_required,
          s.reference.secure_boot_required ? "on" : "on or off", s.hcl.secure_boot ? "on" : "off"};
}

/// From version 2 on the guest has the hardware report what we asked for too. Before, nothing but the vTPM
/// says that this is now.
Comparison UserDataReported(const PolicySubject& s) {
  if (s.evidence_version < 2)
    return {true, "nothing before version 2 of the evidence",
            "version " + std::to_string(s.evidence_version)};
  ByteBuffer expected = s.binding.report_data;
  const bool fits = expected.size() <= UserData::kSize;
  if (fits) expected.resize(UserData::kSize);
  const bool same = fits && s.hcl.user_data && SameBytes(s.hcl.user_data->bytes(), expected);
  return {same, Hex(expected), s.hcl.user_data ? Hex(s.hcl.user_data->bytes()) : "absent"};
}

using enum ReasonCode;
constexpr std::string_view kAttest = "TPM 2.0 Library, part 2, 10.12.12, TPMS_ATTEST";
constexpr std::string_view kHcl = "Azure confidential VMs, guest attestation, HCL report";
constexpr evidence::Check<OriginSubject> kOriginChecks[] = {
    {"az.hcl-bound", kReportDataMismatch, kHcl, HclBound},
    {"az.vtpm-signature", kSignatureInvalid, "TPM 2.0 Library, part 1, 36; HCLAkPub", QuoteSigned},
    {"az.pcr-digest", kSignatureInvalid, "TPM 2.0 Library, part 2, 10.12.1, TPMS_QUOTE_INFO", PcrsQuoted},
};
constexpr evidence::Check<OriginSubject> kTdxOriginChecks[] = {
    {"az.td-report", kReportDataMismatch, "Intel TDX module, TDREPORT_STRUCT", TdReportMatches},
};
constexpr evidence::Check<PolicySubject> kPolicyChecks[] = {
    {"az.vtpm-nonce", kReportDataMismatch, kAttest, NonceQuoted},
    {"az.pcrs-selected", kMeasurementNotAllowed, "TPM 2.0 Library, part 2, 10.6.2, TPMS_PCR_SELECTION",
     PcrsSelected},
    {"az.pcrs-allowed", kMeasurementNotAllowed, "TCG PC Client Platform Firmware Profile, 3.3.4",
     PcrsAllowed},
    {"az.init-data", kInitDataMismatch, "policy.md, init-data of Azure", InitDataMeasured},
    {"az.secure-boot", kPlatformNotAllowed, kHcl, SecureBootOn},
    {"az.user-data", kReportDataMismatch, kHcl, UserDataReported},
};

}  // namespace

std::span<const evidence::Check<OriginSubject>> OriginChecks() { return kOriginChecks; }
std::span<const evidence::Check<OriginSubject>> TdxOriginChecks() { return kTdxOriginChecks; }
std::span<const evidence::Check<PolicySubject>> PolicyChecks() { return kPolicyChecks; }

UserData ReportDataOf(const HclReport& hcl) {
  std::array<std::byte, UserData::kSize> out{};
  std::ranges::copy(crypto::Sha256(hcl.var_data).array(), out.begin());
  return UserData(out);
}

}  // namespace portcullis::azure

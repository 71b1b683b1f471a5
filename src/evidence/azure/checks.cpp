#include "evidence/azure/checks.h"

#include <algorithm>
#include <span>

#include "codec/text.h"
#include "evidence/azure/vtpm_checks.h"
#include "evidence/snp/checks.h"
#include "evidence/tdx/quote.h"
#include "evidence/tdx/tables.h"

namespace portcullis::azure {
namespace {

using codec::Json;
using evidence::Finding;
using evidence::Outcome;
using evidence::ProofTree;
using evidence::Verification;

/// What the parsers refuse, as rows.
constexpr struct FormRow {
  std::string_view id, source, expected;
} kHclRow{"az.hcl-well-formed", "Azure confidential VMs, guest attestation, HCL report",
          "an HCL report of this TEE, hashed with SHA-256, naming one attestation key"},
    kQuoteRow{"az.quote-well-formed", "TPM 2.0 Library, part 2, 10.12.12, TPMS_ATTEST",
              "a quote of the SHA-256 bank"};

template <typename T>
void AddFormRow(const FormRow& row, const Result<T>& parsed, ProofTree& tree) {
  tree.findings.push_back({row.id, ReasonCode::kEvidenceMalformed,
                           parsed ? Outcome::kPassed : Outcome::kFailed, std::string(row.expected),
                           parsed ? "as expected" : parsed.error().ToString(), row.source});
}

/// What the tables look at beside the hardware: both evidences have it.
struct VtpmPart {
  const VtpmQuote& sent;
  std::int64_t version;
  const Result<HclReport>& hcl;
  const Result<tpm::Quote> quote;
  bool tdx;
};

Json ClaimsOf(const VtpmPart& part) {
  Json out = Json::Object({{"evidenceVersion", part.version}});
  if (part.hcl) {
    out.Set("secureBoot", part.hcl->secure_boot);
    out.Set("vmId", part.hcl->vm_id);
    if (part.hcl->user_data) out.Set("userData", codec::EncodeHex(part.hcl->user_data->bytes()));
  }
  if (!part.quote) return out;
  out.Set("extraData", codec::EncodeHex(part.quote->extra_data));
  out.Set("clock", part.quote->clock.clock);
  out.Set("resetCount", part.quote->clock.reset_count);
  out.Set("restartCount", part.quote->clock.restart_count);
  out.Set("firmwareVersion", part.quote->firmware_version);
  Json pcrs = Json::Object({});
  for (unsigned pcr = 0; pcr < tpm::kPcrCount; ++pcr)
    if (part.quote->selection.Has(pcr))
      pcrs.Set(std::to_string(pcr), codec::EncodeHex(part.sent.pcrs[pcr].bytes()));
  out.Set("pcrs", std::move(pcrs));
  return out;
}

bool AllPassedSince(const ProofTree& tree, std::size_t first) {
  return std::all_of(tree.findings.begin() + static_cast<std::ptrdiff_t>(first), tree.findings.end(),
                     [](const Finding& finding) { return finding.outcome == Outcome::kPassed; });
}

void SayWhatIsNotProven(std::int64_t version, std::vector<std::string>& out) {
  out.emplace_back(
      "The hardware measures Azure's paravisor: what the VM runs stands in PCRs, on the paravisor's word.");
  if (version < 2)
    out.emplace_back("The hardware's report is of the VM's start: that this is now, the vTPM alone says.");
}

/// The az. rows, behind the hardware's.
void AppraiseVtpm(const VtpmPart& part, const std::optional<HardwareFacts>& hardware,
                  const VtpmReferenceValues* reference, const Binding* binding, Verification& out) {
  const std::size_t first = out.tree.findings.size();
  AddFormRow(kHclRow, part.hcl, out.tree);
  AddFormRow(kQuoteRow, part.quote, out.tree);
  if (part.hcl && part.quote) {
    const OriginSubject subject{*part.hcl, *part.quote, part.sent, hardware};
    evidence::Appraise(OriginChecks(), subject, out.tree);
    if (part.tdx) evidence::Appraise(TdxOriginChecks(), subject, out.tree);
  } else {
    evidence::NotEvaluated(OriginChecks(), out.tree);
    if (part.tdx) evidence::NotEvaluated(TdxOriginChecks(), out.tree);
  }
  out.claims.Set("vtpm", ClaimsOf(part));
  if (hardware) SayWhatIsNotProven(part.version, out.not_proven);
  if (reference == nullptr) return;
  if (binding != nullptr && AllPassedSince(out.tree, first))
    evidence::Appraise(PolicyChecks(),
                       PolicySubject{*part.hcl, *part.quote, part.sent, part.version, *reference, *binding},
                       out.tree);
  else
    evidence::NotEvaluated(PolicyChecks(), out.tree);
}

/// The rows of a hardware report that nobody could find, since what holds it was not well formed.
void LeaveOpen(ProofTree& tree) {
  for (Finding& finding : tree.findings) {
    finding.outcome = Outcome::kNotEvaluated;
    finding.expected = finding.actual = "";
  }
}

/// Baseline rows run only on what is authentic.
template <typename Subject>
bool AnyRan(std::span<const evidence::Check<Subject>> rows, const ProofTree& tree) {
  return std::ranges::any_of(tree.findings, [&](const Finding& finding) {
    return finding.outcome != Outcome::kNotEvaluated &&
           std::ranges::find(rows, finding.check_id, &evidence::Check<Subject>::id) != rows.end();
  });
}

}  // namespace

Verification VerifyAzSnp(const SnpEvidence& evidence, const snp::EndorsementSource* endorsements,
                         const snp::TrustAnchors& anchors, WallTime now, const SnpReferenceValues* reference,
                         const Binding* binding) {
  const Result<HclReport> hcl = ParseHclReport(evidence.hcl_report, ReportType::kSnp);
  const snp::ReferenceValues* const hardware_reference = reference != nullptr ? &reference->snp : nullptr;
  snp::Binding hardware_binding{};
  if (hcl) hardware_binding.report_data = snp::ReportData(ReportDataOf(*hcl).array());
  const Bytes report = hcl ? Bytes(hcl->hardware_report) : Bytes();
  Verification out = snp::VerifySnp(report, evidence.certificates, endorsements, anchors, now,
                                    hardware_reference, binding != nullptr ? &hardware_binding : nullptr);
  if (!hcl) LeaveOpen(out.tree);

  std::optional<HardwareFacts> hardware;
  const auto parsed = snp::ParseReport(report);
  if (parsed && AnyRan(snp::BaselineChecks(), out.tree))
    hardware = HardwareFacts{parsed->report_data.bytes(), {}, {}};
  AppraiseVtpm({evidence.quote, evidence.version, hcl, tpm::ParseQuote(evidence.quote.message), false},
               hardware, reference != nullptr ? &reference->vtpm : nullptr, binding, out);
  return out;
}

Verification VerifyAzTdx(const TdxEvidence& evidence, const tdx::CollateralSource& collateral,
                         const tdx::TrustAnchors& anchors, WallTime now, const TdxReferenceValues* reference,
                         const Binding* binding) {
  const Result<HclReport> hcl = ParseHclReport(evidence.hcl_report, ReportType::kTdx);
  const tdx::ReferenceValues* const hardware_reference = reference != nullptr ? &reference->tdx : nullptr;
  tdx::Binding hardware_binding{};
  if (hcl) hardware_binding.report_data = tdx::ReportData(ReportDataOf(*hcl).array());
  // The quote stands beside the HCL report: its own rows run whatever becomes of that.
  Verification out = tdx::VerifyTdx({evidence.td_quote, {}}, collateral, anchors, now, hardware_reference,
                                    binding != nullptr ? &hardware_binding : nullptr);

  std::optional<HardwareFacts> hardware;
  const auto parsed = tdx::ParseQuote(evidence.td_quote);
  if (parsed && AnyRan(tdx::BaselineChecks(), out.tree)) {
    const tdx::TdReport& body = parsed->report;
    hardware = HardwareFacts{
        body.report_data.bytes(),
        body.mr_td.bytes(),
        {body.rtmrs[0].bytes(), body.rtmrs[1].bytes(), body.rtmrs[2].bytes(), body.rtmrs[3].bytes()}};
  }
  AppraiseVtpm({evidence.quote, evidence.version, hcl, tpm::ParseQuote(evidence.quote.message), true},
               hardware, reference != nullptr ? &reference->vtpm : nullptr, binding, out);
  return out;
}

std::vector<Finding> CheckRows() {
  ProofTree rows;
  for (const FormRow& row : {kHclRow, kQuoteRow})
    rows.findings.push_back(
        {row.id, ReasonCode::kEvidenceMalformed, Outcome::kNotEvaluated, "", "", row.source});
  evidence::NotEvaluated(OriginChecks(), rows);
  evidence::NotEvaluated(TdxOriginChecks(), rows);
  evidence::NotEvaluated(PolicyChecks(), rows);
  return std::move(rows.findings);
}

}  // namespace portcullis::azure

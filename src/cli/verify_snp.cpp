#include <CLI/CLI.hpp>

#include "cli/documents.h"
#include "cli/files.h"
#include "cli/verify.h"
#include "codec/init_data.h"
#include "evidence/snp/checks.h"

namespace portcullis::cli {
namespace {

constexpr std::size_t kMaxReportBytes =
    64 * 1024;  // far above any report; the parser insists on the exact size
constexpr std::string_view kReportDataRow = "snp.report-data";
constexpr std::string_view kHostDataRow = "snp.host-data";

struct VerifySnpOptions : VerifyOptions {
  std::string report;
  std::vector<std::string> certificates;
};

Result<std::optional<snp::HostData>> HostDataOf(const Expected& expected) {
  if (!expected.init_data) return std::optional<snp::HostData>();
  const codec::InitData init_data = TRY(codec::ParseInitData(*expected.init_data));
  if (init_data.algorithm != "sha256")
    return Error{ReasonCode::kRequestMalformed, "must be sha256: HOST_DATA has 32 bytes",
                 "init-data algorithm = " + Quoted(init_data.algorithm)};
  return std::optional(snp::HostData(crypto::Sha256(AsBytes(init_data.text)).array()));
}

Result<Exit> VerifySnp(const VerifySnpOptions& options, const Context& context) {
  policy::SnpEvidence evidence;
  evidence.report = ToBuffer(AsBytes(TRY(ReadFile(options.report, kMaxReportBytes))));
  for (const std::string& path : options.certificates)
    for (crypto::Certificate& certificate : TRY(ReadCertificates(path)))
      evidence.certificates.push_back(std::move(certificate));
  const Judging judging = TRY(ReadJudging(options, context.ports()));
  const Verdict verdict = TRY(Judge(evidence, judging));
  return PrintVerdict(verdict, options.format, context);
}

}  // namespace

Result<Verdict> Judge(const policy::SnpEvidence& evidence, const Judging& judging) {
  if (judging.policy && !judging.policy->snp)
    return Error{ReasonCode::kPolicyIncomplete, "the policy has no rules for this TEE", "tees.snp"};
  const snp::ReferenceValues* const rules = judging.policy ? &*judging.policy->snp : nullptr;
  const auto host_data = TRY(HostDataOf(judging.expected));
  const auto& report_data = judging.expected.report_data;
  const auto parsed = snp::ParseReport(evidence.report);
  const auto wanted =
      TRY(report_data ? snp::ReportData::From(*report_data)
                      : Result<snp::ReportData>(parsed ? parsed->report_data : snp::ReportData()));
  const snp::Binding binding{wanted, host_data};
  Verdict verdict =
      VerdictOf(snp::VerifySnp(evidence.report, evidence.certificates, judging.endorsements.get(),
                               judging.anchors, judging.now, rules, rules != nullptr ? &binding : nullptr));
  // Without --report-data nothing is known of freshness.
  if (!report_data) DropRow(kReportDataRow, verdict.tree);
  if (rules == nullptr && parsed && report_data)
    CompareBytes(kReportDataRow, ReasonCode::kReportDataMismatch, *report_data, parsed->report_data.bytes(),
                 verdict.tree);
  if (rules == nullptr && parsed && host_data)
    CompareBytes(kHostDataRow, ReasonCode::kInitDataMismatch, host_data->bytes(), parsed->host_data.bytes(),
                 verdict.tree);
  NoteUnasked(judging, verdict);
  return verdict;
}

void AddVerifySnp(CLI::App& verify, Context& context) {
  const auto options = std::make_shared<VerifySnpOptions>();
  CLI::App* const snp = verify.add_subcommand(
      "snp", "Verify an AMD SEV-SNP report to AMD's roots and, with a policy, appraise it");
  snp->add_option("--report", options->report, "The 1184 bytes as the hardware returned them")
      ->required()
      ->type_name("FILE");
  snp->add_option("--cert", options->certificates,
                  "VCEK or VLEK in DER or PEM, or the auxblob that came with the report; may be repeated")
      ->type_name("FILE");
  snp->add_option("--crl", options->lists,
                  "AMD's revocation list in DER, of each product's root; may be repeated")
      ->type_name("FILE");
  AddVerifyOptions(*snp, *options);
  snp->footer(R"(Without a policy: genuine, well formed, bound to its certificate, debug off.
With a policy and without --init-data, HOST_DATA must be zero; it demands AMD's revocation list too, by
--crl or --collateral.

Examples:
  portcullis verify snp --report report.bin --cert vcek.der
  portcullis verify snp --report report.bin --collateral ./collateral
  portcullis verify snp --report report.bin --cert auxblob.bin --crl crl.der --policy policy.yaml --init-data init.toml -o json)");
  snp->callback([options, &context] { context.Finish(VerifySnp(*options, context), options->format); });
}

}  // namespace portcullis::cli

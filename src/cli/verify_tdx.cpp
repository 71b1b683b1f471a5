#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/files.h"
#include "cli/verify.h"
#include "codec/init_data.h"
#include "evidence/tdx/event_log.h"
#include "evidence/tdx/quote.h"

namespace portcullis::cli {
namespace {

constexpr std::string_view kReportDataRow = "tdx.reportdata";
constexpr std::string_view kConfigIdRow = "tdx.mrconfigid";

struct VerifyTdxOptions : VerifyOptions {
  std::string quote, event_log;
};

/// MRCONFIGID: the digest of init-data with zeros behind it (kbs-protocol.md section 2).
Result<std::optional<tdx::Measurement>> ConfigIdOf(const Expected& expected) {
  if (!expected.init_data) return std::optional<tdx::Measurement>();
  const codec::InitData init_data = TRY(codec::ParseInitData(*expected.init_data));
  std::array<std::byte, tdx::Measurement::kSize> id{};
  if (init_data.algorithm == "sha256")
    std::ranges::copy(crypto::Sha256(AsBytes(init_data.text)).array(), id.begin());
  else if (init_data.algorithm == "sha384")
    id = crypto::Sha384(AsBytes(init_data.text)).array();
  else
    return Error{ReasonCode::kRequestMalformed, "must be sha256 or sha384: MRCONFIGID has 48 bytes",
                 "init-data algorithm = " + Quoted(init_data.algorithm)};
  return std::optional(tdx::Measurement(id));
}

Result<Exit> VerifyTdxQuote(const VerifyTdxOptions& options, const Context& context) {
  tdx::Evidence evidence;
  evidence.quote = ToBuffer(AsBytes(TRY(ReadFile(options.quote, tdx::kMaxQuoteBytes))));
  if (!options.event_log.empty())
    evidence.event_log = ToBuffer(AsBytes(TRY(ReadFile(options.event_log, tdx::kMaxEventLogBytes))));
  const Judging judging = TRY(ReadJudging(options, context.ports()));
  const Verdict verdict = TRY(Judge(evidence, judging));
  return PrintVerdict(verdict, options.format, context);
}

}  // namespace

Result<Verdict> Judge(const tdx::Evidence& evidence, const Judging& judging) {
  if (judging.policy && !judging.policy->tdx)
    return Error{ReasonCode::kPolicyIncomplete, "the policy has no rules for this TEE", "tees.tdx"};
  const tdx::ReferenceValues* const rules = judging.policy ? &*judging.policy->tdx : nullptr;
  const auto config_id = TRY(ConfigIdOf(judging.expected));
  const auto& report_data = judging.expected.report_data;
  const auto parsed = tdx::ParseQuote(evidence.quote);
  const auto wanted =
      TRY(report_data ? tdx::ReportData::From(*report_data)
                      : Result<tdx::ReportData>(parsed ? parsed->report.report_data : tdx::ReportData()));
  const tdx::Binding binding{wanted, config_id};
  Verdict verdict = VerdictOf(tdx::VerifyTdx(evidence, *judging.collateral, judging.tdx_anchors, judging.now,
                                             rules, rules != nullptr ? &binding : nullptr));
  // Without --report-data nothing is known of freshness.
  if (!report_data) DropRow(kReportDataRow, verdict.tree);
  if (rules == nullptr && parsed && report_data)
    CompareBytes(kReportDataRow, ReasonCode::kReportDataMismatch, *report_data,
                 parsed->report.report_data.bytes(), verdict.tree);
  if (rules == nullptr && parsed && config_id)
    CompareBytes(kConfigIdRow, ReasonCode::kInitDataMismatch, config_id->bytes(),
                 parsed->report.mr_config_id.bytes(), verdict.tree);
  NoteUnasked(judging, verdict);
  return verdict;
}

void AddVerifyTdx(CLI::App& verify, Context& context) {
  const auto options = std::make_shared<VerifyTdxOptions>();
  CLI::App* const tdx = verify.add_subcommand(
      "tdx", "Verify an Intel TDX quote to Intel's root and, with a policy, appraise it");
  tdx->add_option("--quote", options->quote, "The quote as the guest got it; zeros behind it are allowed")
      ->required()
      ->type_name("FILE");
  tdx->add_option("--event-log", options->event_log,
                  "The firmware's log (CCEL), which must replay to the RTMRs")
      ->type_name("FILE");
  AddVerifyOptions(*tdx, *options);
  tdx->get_option("--collateral")->required();
  tdx->footer(
      R"(Without a policy: genuine, current and unrevoked collateral, debug off; the TCB status is in the claims,
and Revoked is denied. With a policy and without --init-data, MRCONFIGID must be zero.

Of each document in --collateral the one whose window holds --at counts, else the newest.

Examples:
  portcullis verify tdx --quote quote.bin --collateral ./collateral
  portcullis verify tdx --quote quote.bin --event-log ccel.bin --collateral ./collateral --policy policy.yaml -o json)");
  tdx->callback([options, &context] { context.Finish(VerifyTdxQuote(*options, context), options->format); });
}

}  // namespace portcullis::cli

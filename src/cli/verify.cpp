#include <CLI/CLI.hpp>
#include <optional>

#include "cli/commands.h"
#include "cli/documents.h"
#include "cli/files.h"
#include "cli/verdict.h"
#include "codec/text.h"
#include "evidence/snp/given_endorsements.h"
#include "policy/policy.h"

namespace portcullis::cli {
namespace {

constexpr std::size_t kMaxReportBytes =
    64 * 1024;  // far above any report; the parser insists on the exact size
constexpr std::string_view kReportDataRow = "snp.report-data";
constexpr std::string_view kHostDataRow = "snp.host-data";

struct VerifySnpOptions {
  std::string report, policy, report_data, init_data, at, format;
  std::vector<std::string> certificates, lists;
};

/// What the command line says that the report must show.
struct Wanted {
  std::optional<snp::ReportData> report_data;
  std::optional<snp::HostData> host_data;
};

Result<Wanted> ReadWanted(const VerifySnpOptions& options) {
  Wanted wanted;
  if (!options.report_data.empty()) {
    const auto value = codec::FixedFromHex<snp::ReportData>(options.report_data);
    if (!value)
      return Error{ReasonCode::kConfigurationInvalid,
                   "must be 128 hex digits; pad a shorter digest with zeros", "--report-data"};
    wanted.report_data = *value;
  }
  if (!options.init_data.empty()) {
    const std::string text = TRY(ReadFile(options.init_data, codec::kMaxInitDataBytes));
    const codec::InitData init_data = TRY_AT(Quoted(options.init_data), codec::ParseInitData(text));
    if (init_data.algorithm != "sha256")
      return Error{ReasonCode::kRequestMalformed, "must be sha256: HOST_DATA has 32 bytes",
                   Quoted(options.init_data) + " algorithm = " + Quoted(init_data.algorithm)};
    wanted.host_data = snp::HostData(crypto::Sha256(AsBytes(text)).array());
  }
  return wanted;
}

Result<WallTime> TimeOf(const VerifySnpOptions& options, const Clock& clock) {
  if (options.at.empty()) return clock.Now();
  const auto time = ParseTimestamp(options.at);
  if (!time)
    return Error{ReasonCode::kConfigurationInvalid, "must be RFC 3339, such as 2026-01-31T12:00:00Z", "--at"};
  return time;
}

Result<std::optional<policy::Policy>> ReadPolicy(const std::string& path, const CliPorts& ports) {
  if (path.empty()) return std::optional<policy::Policy>();
  const PolicyFile file = TRY(ReadPolicyFile(path, ports));
  return std::optional(TRY_AT(Quoted(path), policy::ParsePolicy(file.document)));
}

/// A comparison that the baseline has no row for, since it comes from the command line.
void CompareBytes(std::string_view row, ReasonCode reason, Bytes expected, Bytes actual,
                  evidence::ProofTree& tree) {
  const bool unproven = std::ranges::any_of(tree.findings, [](const evidence::Finding& f) {
    return f.outcome == evidence::Outcome::kNotEvaluated;
  });
  const evidence::Outcome compared =
      SameBytes(expected, actual) ? evidence::Outcome::kPassed : evidence::Outcome::kFailed;
  tree.findings.push_back({std::string(row), reason, unproven ? evidence::Outcome::kNotEvaluated : compared,
                           codec::EncodeHex(expected), codec::EncodeHex(actual), "the command line"});
}

/// Only the baseline: genuine, well formed, bound to its certificate, debug off.
Verdict VerifyBaseline(Bytes report, std::span<const crypto::Certificate> certificates,
                       const snp::EndorsementSource* endorsements, const Wanted& wanted, WallTime now,
                       const snp::TrustAnchors& anchors) {
  snp::Verification verified =
      snp::VerifySnp(report, certificates, endorsements, anchors, now, nullptr, nullptr);
  Verdict verdict{std::move(verified.tree), std::move(verified.claims), std::move(verified.not_proven)};
  const auto parsed = snp::ParseReport(report);
  if (wanted.report_data && parsed)
    CompareBytes(kReportDataRow, ReasonCode::kReportDataMismatch, wanted.report_data->bytes(),
                 parsed->report_data.bytes(), verdict.tree);
  if (wanted.host_data && parsed)
    CompareBytes(kHostDataRow, ReasonCode::kInitDataMismatch, wanted.host_data->bytes(),
                 parsed->host_data.bytes(), verdict.tree);
  verdict.not_proven.emplace_back("no policy was given: whether this guest may have a key was not asked");
  return verdict;
}

/// The policy's SNP rules as well. Without --report-data nothing is known of freshness; the row leaves the
/// tree then, so that nobody takes it for passed.
Verdict VerifyUnder(const snp::ReferenceValues& rules, Bytes report,
                    std::span<const crypto::Certificate> certificates,
                    const snp::EndorsementSource* endorsements, const Wanted& wanted, WallTime now,
                    const snp::TrustAnchors& anchors) {
  const auto parsed = snp::ParseReport(report);
  const snp::ReportData own = parsed ? parsed->report_data : snp::ReportData();
  const snp::Binding binding{wanted.report_data.value_or(own), wanted.host_data};
  snp::Verification verified =
      snp::VerifySnp(report, certificates, endorsements, anchors, now, &rules, &binding);
  Verdict verdict{std::move(verified.tree), std::move(verified.claims), std::move(verified.not_proven)};
  if (!wanted.report_data)
    std::erase_if(verdict.tree.findings,
                  [](const evidence::Finding& finding) { return finding.check_id == kReportDataRow; });
  return verdict;
}

Result<Exit> VerifySnp(const VerifySnpOptions& options, const Context& context) {
  const CliPorts& ports = context.ports();
  const std::string report = TRY(ReadFile(options.report, kMaxReportBytes));
  std::vector<crypto::Certificate> certificates;
  for (const std::string& path : options.certificates)
    for (crypto::Certificate& certificate : TRY(ReadCertificates(path)))
      certificates.push_back(std::move(certificate));
  std::vector<crypto::Crl> lists;
  for (const std::string& path : options.lists) lists.push_back(TRY(ReadCrl(path)));
  const snp::GivenEndorsements given(std::move(lists));
  // Without one the baseline does not look at revocation, and says so.
  const snp::EndorsementSource* const endorsements = options.lists.empty() ? nullptr : &given;
  const Wanted wanted = TRY(ReadWanted(options));
  const WallTime now = TRY(TimeOf(options, ports.clock));
  const std::optional<policy::Policy> policy = TRY(ReadPolicy(options.policy, ports));

  Verdict verdict =
      policy
          ? VerifyUnder(*policy->snp, AsBytes(report), certificates, endorsements, wanted, now, ports.anchors)
          : VerifyBaseline(AsBytes(report), certificates, endorsements, wanted, now, ports.anchors);
  if (!wanted.report_data)
    verdict.not_proven.emplace_back("no --report-data was given: the report may be old, or another's");
  return PrintVerdict(verdict, options.format, context);
}

}  // namespace

void AddVerifyCommands(CLI::App& program, Context& context) {
  CLI::App* const verify = program.add_subcommand("verify", "Verify evidence offline, without a broker");
  verify->require_subcommand(1);

  const auto options = std::make_shared<VerifySnpOptions>();
  CLI::App* const snp = verify->add_subcommand(
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
  snp->add_option("--policy", options->policy,
                  "Appraise by the SNP rules of this policy or ReleasePolicy; - for stdin")
      ->type_name("FILE");
  snp->add_option("--report-data", options->report_data, "What REPORT_DATA must be: 128 hex digits")
      ->type_name("HEX");
  snp->add_option("--init-data", options->init_data, "Init-data TOML whose SHA-256 HOST_DATA must be")
      ->type_name("FILE");
  snp->add_option("--at", options->at, "Verify certificates as of this time instead of now")
      ->type_name("RFC3339");
  AddOutputOption(*snp, options->format, {"text", "json"});
  snp->footer(R"(Without a policy: genuine, well formed, bound to its certificate, debug off.
With a policy and without --init-data, HOST_DATA must be zero; it demands a --crl too.

Examples:
  portcullis verify snp --report report.bin --cert vcek.der
  portcullis verify snp --report report.bin --cert auxblob.bin --crl crl.der --policy policy.yaml --init-data init.toml -o json)");
  snp->callback([options, &context] { context.Finish(VerifySnp(*options, context), options->format); });
}

}  // namespace portcullis::cli

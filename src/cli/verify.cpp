#include "cli/verify.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/commands.h"
#include "cli/documents.h"
#include "cli/files.h"
#include "codec/init_data.h"
#include "codec/text.h"
#include "endorsement/folder.h"

namespace portcullis::cli {
namespace {

constexpr std::size_t kReportDataBytes = 64;

/// Where no folder was named.
class NoCollateral final : public tdx::CollateralSource {
 public:
  std::shared_ptr<const tdx::Collateral> Find(const tdx::Fmspc&, tdx::PckCa,
                                              tdx::EvaluationSet) const override {
    return nullptr;
  }
};

Result<Expected> ReadExpected(const VerifyOptions& options) {
  Expected expected;
  if (!options.report_data.empty()) {
    auto value = codec::DecodeHex(options.report_data);
    if (!value || value->size() != kReportDataBytes)
      return Error{ReasonCode::kConfigurationInvalid,
                   "must be 128 hex digits; pad a shorter digest with zeros", "--report-data"};
    expected.report_data = std::move(value).value();
  }
  if (!options.init_data.empty()) {
    std::string text = TRY(ReadFile(options.init_data, codec::kMaxInitDataBytes));
    TRY_AT(Quoted(options.init_data), codec::ParseInitData(text));
    expected.init_data = std::move(text);
  }
  return expected;
}

Result<WallTime> TimeOf(const VerifyOptions& options, const Clock& clock) {
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

}  // namespace

Result<Judging> ReadJudging(const VerifyOptions& options, const CliPorts& ports) {
  std::vector<crypto::Crl> lists;
  for (const std::string& path : options.lists) lists.push_back(TRY(ReadCrl(path)));
  Expected expected = TRY(ReadExpected(options));
  const WallTime now = TRY(TimeOf(options, ports.clock));
  auto policy = TRY(ReadPolicy(options.policy, ports));
  std::shared_ptr<const endorsement::Folder> folder;
  if (!options.collateral.empty())
    folder = TRY(endorsement::Folder::Read(options.collateral, {ports.anchors, ports.tdx_anchors}, now));
  const bool looks = folder != nullptr || !lists.empty();
  std::shared_ptr<const snp::EndorsementSource> endorsements;
  if (looks) endorsements = std::make_shared<Endorsements>(std::move(lists), folder);
  std::shared_ptr<const tdx::CollateralSource> collateral = folder;
  if (collateral == nullptr) collateral = std::make_shared<NoCollateral>();
  return Judging{.expected = std::move(expected),
                 .policy = std::move(policy),
                 .now = now,
                 .endorsements = std::move(endorsements),
                 .collateral = std::move(collateral),
                 .anchors = ports.anchors,
                 .tdx_anchors = ports.tdx_anchors};
}

void CompareBytes(evidence::TableText row, ReasonCode reason, Bytes expected, Bytes actual,
                  evidence::ProofTree& tree) {
  const bool unproven = std::ranges::any_of(tree.findings, [](const evidence::Finding& f) {
    return f.outcome == evidence::Outcome::kNotEvaluated;
  });
  const evidence::Outcome compared =
      SameBytes(expected, actual) ? evidence::Outcome::kPassed : evidence::Outcome::kFailed;
  tree.findings.push_back({row, reason, unproven ? evidence::Outcome::kNotEvaluated : compared,
                           codec::EncodeHex(expected), codec::EncodeHex(actual), "the command line"});
}

void DropRow(std::string_view row, evidence::ProofTree& tree) {
  std::erase_if(tree.findings, [row](const evidence::Finding& finding) { return finding.check_id == row; });
}

void NoteUnasked(const Judging& judging, Verdict& verdict) {
  if (!judging.policy)
    verdict.not_proven.emplace_back("no policy was given: whether this guest may have a key was not asked");
  if (!judging.expected.report_data)
    verdict.not_proven.emplace_back("no --report-data was given: the report may be old, or another's");
}

Verdict VerdictOf(evidence::Verification verified) {
  return {std::move(verified.tree), std::move(verified.claims), std::move(verified.not_proven)};
}

void AddVerifyOptions(CLI::App& command, VerifyOptions& options) {
  command
      .add_option("--policy", options.policy,
                  "Appraise by this policy's or ReleasePolicy's rules for the TEE; - for stdin")
      ->type_name("FILE");
  command.add_option("--report-data", options.report_data, "What the report data must be: 128 hex digits")
      ->type_name("HEX");
  command
      .add_option("--init-data", options.init_data, "Init-data TOML whose digest the guest was launched with")
      ->type_name("FILE");
  command.add_option("--at", options.at, "Verify as of this time instead of now")->type_name("RFC3339");
  command
      .add_option("--collateral", options.collateral,
                  "A store of `collateral fetch`, or a folder of files as the vendors serve them")
      ->type_name("DIR");
  AddOutputOption(command, options.format, {"text", "json"});
}

void AddVerifyCommands(CLI::App& program, Context& context) {
  CLI::App* const verify = program.add_subcommand("verify", "Verify evidence offline, without a broker");
  verify->require_subcommand(1);
  AddVerifySnp(*verify, context);
  AddVerifyTdx(*verify, context);
  AddVerifyAttestation(*verify, context);
}

}  // namespace portcullis::cli

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ostream>

#include "cli/collateral.h"
#include "cli/files.h"
#include "codec/text.h"
#include "endorsement/kds_client.h"
#include "endorsement/pcs_client.h"
#include "endorsement/refresher.h"
#include "evidence/tdx/quote.h"

namespace portcullis::cli {
namespace {

using endorsement::Id;
using endorsement::VcekId;

constexpr std::size_t kMaxReportBytes = 64 * 1024;
constexpr std::size_t kMaxCaFileBytes = 4u << 20;
constexpr int kMaxTries = 3;  // of a document whose turn has not come

struct FetchOptions {
  std::string directory, amd_kds, intel_pcs, root_crl, ca_file, set, format;
  std::vector<std::string> reports, quotes, fmspcs, chips;
};

/// Ids in the order of asking, each once.
class Wanted {
 public:
  void Add(const Id& id) {
    const std::string path = endorsement::PathOf(id);
    if (std::ranges::find(paths_, path) != paths_.end()) return;
    paths_.push_back(path);
    ids_.push_back(id);
  }
  const std::vector<Id>& ids() const { return ids_; }

 private:
  std::vector<std::string> paths_;
  std::vector<Id> ids_;
};

std::vector<tdx::EvaluationSet> SetsOf(const std::string& name) {
  using enum tdx::EvaluationSet;
  if (name == "both") return {kStandard, kEarly};
  return {name == NameOf(kEarly) ? kEarly : kStandard};
}

/// What every TDX appraisal needs beside the TCB info. The root's list comes last: the others bring its
/// chain.
void AddIntelCommon(const FetchOptions& options, Wanted& wanted) {
  wanted.Add(endorsement::PckCrlId{tdx::PckCa::kPlatform});
  wanted.Add(endorsement::PckCrlId{tdx::PckCa::kProcessor});
  wanted.Add(endorsement::RootCrlId{});
  for (const auto set : SetsOf(options.set)) wanted.Add(endorsement::QeIdentityId{set});
}

void AddFmspc(const tdx::Fmspc& fmspc, const FetchOptions& options, Wanted& wanted) {
  AddIntelCommon(options, wanted);
  for (const auto set : SetsOf(options.set)) wanted.Add(endorsement::TcbInfoId{fmspc, set});
}

void AddChip(const VcekId& id, Wanted& wanted) {
  wanted.Add(endorsement::AmdCrlId{id.product});
  wanted.Add(id);
}

/// "Milan/<hwid>/bl03_tee00_snp08_ucode115": the words of the store's own file names.
Result<VcekId> ChipNamed(const std::string& text) {
  const std::size_t product = text.find('/');
  const std::size_t hwid = product == std::string::npos ? product : text.find('/', product + 1);
  const auto id = hwid == std::string::npos
                      ? std::nullopt
                      : endorsement::VcekAt("amd/" + text.substr(0, product) + "/vcek/" +
                                            text.substr(product + 1, hwid - product - 1) + "_" +
                                            text.substr(hwid + 1) + "_vcek.der");
  if (!id)
    return Error{ReasonCode::kConfigurationInvalid,
                 "must be PRODUCT/HWID/bl00_tee00_snp00_ucode00, for Turin with _fmc00",
                 "--chip " + Quoted(text)};
  return *id;
}

Result<Wanted> ReadWanted(const FetchOptions& options) {
  Wanted wanted;
  for (const std::string& path : options.reports) {
    const std::string bytes = TRY(ReadFile(path, kMaxReportBytes));
    const snp::Report report = TRY_AT(Quoted(path), snp::ParseReport(AsBytes(bytes)));
    AddChip({report.product, report.chip_id, report.reported_tcb}, wanted);
  }
  for (const std::string& text : options.chips) AddChip(TRY(ChipNamed(text)), wanted);
  for (const std::string& path : options.quotes) {
    const std::string bytes = TRY(ReadFile(path, tdx::kMaxQuoteBytes));
    const tdx::Quote quote = TRY_AT(Quoted(path), tdx::ParseQuote(AsBytes(bytes)));
    AddFmspc(TRY_AT(Quoted(path), tdx::PlatformOf(quote)).fmspc, options, wanted);
  }
  for (const std::string& text : options.fmspcs) {
    const auto fmspc = codec::FixedFromHex<tdx::Fmspc>(text);
    if (!fmspc) return Error{ReasonCode::kConfigurationInvalid, "must be 12 hex digits", "--fmspc"};
    AddFmspc(*fmspc, options, wanted);
  }
  if (!wanted.ids().empty()) return wanted;
  for (const auto product : {snp::Product::kMilan, snp::Product::kGenoa, snp::Product::kTurin})
    wanted.Add(endorsement::AmdCrlId{product});
  AddIntelCommon(options, wanted);
  return wanted;
}

std::string Seconds(std::chrono::milliseconds took) {
  return std::to_string(took.count() / 1000) + "." + std::to_string(took.count() % 1000 / 100) + " s";
}

class Fetching {
 public:
  Fetching(endorsement::Store& store, const endorsement::Vendors& vendors, const CliPorts& ports)
      : store_(store), vendors_(vendors), ports_(ports), started_(ports.clock.Steady()) {}

  CollateralOutcome Fetch(const Id& id, std::size_t number, std::size_t of) {
    Say("[" + std::to_string(number) + "/" + std::to_string(of) + "] " + endorsement::PathOf(id));
    auto document = endorsement::FetchFrom(vendors_, store_, id);
    for (int tries = 1; !document && Waits(document.error(), id) && tries < kMaxTries; ++tries)
      document = endorsement::FetchFrom(vendors_, store_, id);
    if (document) return Installing(store_, *document);
    return {endorsement::PathOf(id), OutcomeOf(document.error()), document.error().ToString(), std::nullopt};
  }
  void Finish() {
    if (ports_.progress) ports_.err << "\r\x1b[K" << std::flush;
  }

 private:
  void Say(const std::string& text) {
    if (!ports_.progress) return;
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(ports_.clock.Steady() - started_);
    ports_.err << "\r\x1b[K" << text << "  " << Seconds(took) << std::flush;
  }
  /// Waits for a chip's turn. False where waiting would not help.
  bool Waits(const Error& error, const Id& id) {
    const auto* vcek = std::get_if<VcekId>(&id);
    if (error.code != ReasonCode::kOverloaded || vcek == nullptr) return false;
    const auto wait = vendors_.kds->WaitFor(*vcek);
    if (wait > endorsement::KdsClient::kBetweenRequests) return false;
    Say("waiting " + std::to_string(wait.count()) + " s for " + endorsement::PathOf(id));
    ports_.pause(wait);
    return true;
  }
  static std::string OutcomeOf(const Error& error) {
    if (error.code == ReasonCode::kNotFound) return "not-found";
    if (error.code == ReasonCode::kOverloaded) return "throttled";
    return error.code == ReasonCode::kEvidenceMalformed ? "refused" : "unreachable";
  }

  endorsement::Store& store_;
  const endorsement::Vendors& vendors_;
  const CliPorts& ports_;
  const SteadyTime started_;
};

Result<Exit> Fetch(const FetchOptions& options, const Context& context) {
  const CliPorts& ports = context.ports();
  const Wanted wanted = TRY(ReadWanted(options));
  const auto store = TRY(OpenStore(options.directory, context));
  const std::string cas = options.ca_file.empty() ? TRY(endorsement::SystemTrustStore())
                                                  : TRY(ReadFile(options.ca_file, kMaxCaFileBytes));
  endorsement::HttpsFetcher fetcher(cas, ports.connect);
  endorsement::KdsClient kds(options.amd_kds, fetcher, ports.clock);
  endorsement::PcsClient pcs(options.intel_pcs, options.root_crl, fetcher, ports.clock);
  const endorsement::Vendors vendors{&kds, &pcs};
  Fetching fetching(*store, vendors, ports);
  std::vector<CollateralOutcome> outcomes;
  for (const Id& id : wanted.ids())
    outcomes.push_back(fetching.Fetch(id, outcomes.size() + 1, wanted.ids().size()));
  fetching.Finish();
  const Exit exit = PrintOutcomes(outcomes, "fetched", options.format, context);
  const bool missing =
      std::ranges::any_of(outcomes, [](const auto& row) { return row.outcome == "not-found"; });
  return exit == Exit::kDone && missing ? Exit::kDenied : exit;
}

}  // namespace

void AddCollateralFetch(CLI::App& collateral, Context& context) {
  const auto options = std::make_shared<FetchOptions>();
  CLI::App* const command = collateral.add_subcommand(
      "fetch", "Fetch from AMD and Intel what evidence needs, verified before it is kept");
  command->add_option("--directory", options->directory, "The store; made where it is missing")
      ->required()
      ->type_name("DIR");
  command->add_option("--report", options->reports, "SNP report whose chip's VCEK is wanted; may be repeated")
      ->type_name("FILE");
  command->add_option("--chip", options->chips, "A chip and TCB: Milan/HWID/bl03_tee00_snp08_ucode115")
      ->type_name("CHIP");
  command->add_option("--quote", options->quotes, "TDX quote whose platform's TCB info is wanted")
      ->type_name("FILE");
  command->add_option("--fmspc", options->fmspcs, "The same by FMSPC, 12 hex digits")->type_name("HEX");
  command->add_option("--set", options->set, "Evaluation set of Intel's documents")
      ->check(CLI::IsMember({"standard", "early", "both"}))
      ->default_val("both");
  command->add_option("--amd-kds", options->amd_kds, "AMD's service, or a mirror of it")
      ->default_val(std::string(endorsement::kAmdKds))
      ->type_name("URL");
  command->add_option("--intel-pcs", options->intel_pcs, "Intel's service, or a mirror such as PCCS")
      ->default_val(std::string(endorsement::kIntelPcs))
      ->type_name("URL");
  command->add_option("--intel-root-crl", options->root_crl, "The list of Intel's root")
      ->default_val(std::string(endorsement::kIntelRootCrl))
      ->type_name("URL");
  command->add_option("--ca", options->ca_file, "CAs of those services, in place of the system's")
      ->type_name("FILE");
  AddOutputOption(*command, options->format, {"text", "json"});
  command->footer(
      R"(Without reports, chips, quotes or FMSPCs: what every appraisal needs, the revocation lists above all.
AMD's service is asked for a chip at most once in ten seconds. Exits 3 where a document was refused or
there is none, 5 where a service was not reached.

Examples:
  portcullis collateral fetch --directory ./collateral --report report.bin
  portcullis collateral fetch --directory ./collateral --fmspc 00806f050000 --set standard)");
  command->callback([options, &context] { context.Finish(Fetch(*options, context), options->format); });
}

}  // namespace portcullis::cli

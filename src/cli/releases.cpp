#include <CLI/CLI.hpp>
#include <ostream>

#include "audit/audit.h"
#include "cli/broker.h"
#include "cli/commands.h"
#include "cli/identity.h"

namespace portcullis::cli {
namespace {

constexpr std::string_view kPageSize = "100";  // with all their checks, about 1 MiB
constexpr std::size_t kMaxReleases = 100'000;  // what a terminal and this process can bear

struct BrokerCommandOptions {
  BrokerOptions broker;
  std::string namespace_name, format;
};

std::string Cell(const codec::Json& release, std::string_view member) {
  const std::string_view text = release.TextAt({member});
  return text.empty() ? "-" : Printable(text);
}

std::string ReasonsCell(const codec::Json& release) {
  const codec::Json* const reasons = release.Find("reasons");
  std::string out;
  if (reasons != nullptr && reasons->is_array())
    for (const codec::Json& reason : *reasons->if_array())
      if (const std::string* const text = reason.if_string())
        out += (out.empty() ? "" : ",") + Printable(*text);
  return out.empty() ? "-" : out;
}

/// All pages; the broker orders releases by id and says where the next page begins.
Result<codec::JsonArray> FetchReleases(const Broker& broker, const std::string& namespace_name) {
  codec::JsonArray out;
  std::string after;
  do {
    const codec::Json page = TRY(broker.GetJson("/v1/releases?limit=" + std::string(kPageSize) +
                                                (after.empty() ? "" : "&after=" + after)));
    codec::ObjectReader reader = TRY(codec::ObjectReader::Open(page));
    for (const codec::Json& release : *TRY(reader.Array("releases", kMaxReleases)))
      if (namespace_name.empty() || release.TextAt({"namespace"}) == namespace_name) out.push_back(release);
    const std::string next = TRY(reader.Text("next"));
    if (!next.empty() && next <= after)
      return Error{ReasonCode::kRequestMalformed, "the broker's pages don't go forward",
                   "next = " + Quoted(next)};
    after = next;
  } while (!after.empty() && out.size() < kMaxReleases);
  return out;
}

Result<Exit> PrintReleases(const BrokerCommandOptions& options, const Context& context) {
  const Broker broker = TRY(Broker::Connect(options.broker, context.ports()));
  codec::JsonArray releases = TRY(FetchReleases(broker, options.namespace_name));
  if (options.format == "json") {
    context.PrintJson(codec::Json::Object({{"releases", std::move(releases)}}));
    return Exit::kDone;
  }
  std::vector<std::vector<std::string>> rows = {
      {"NAMESPACE", "POD", "KEY", "PHASE", "REASONS", "TEE", "DECIDED", "LEASE ENDS"}};
  for (const codec::Json& release : releases)
    rows.push_back({Cell(release, "namespace"), Cell(release, "pod"), Cell(release, "key"),
                    Cell(release, "phase"), ReasonsCell(release), Cell(release, "tee"),
                    Cell(release, "decidedAt"), Cell(release, "leaseExpires")});
  context.out() << Table(rows);
  return Exit::kDone;
}

Result<Exit> PrintStatus(const BrokerCommandOptions& options, const Context& context) {
  const Broker broker = TRY(Broker::Connect(options.broker, context.ports()));
  const codec::Json answer = TRY(broker.GetJson("/v1/identity"));
  const BrokerIdentity identity = TRY_AT("/v1/identity", ParseIdentity(answer));
  const std::string note = TRY(broker.Get("/v1/audit/checkpoint"));
  codec::Json checkpoint;
  if (!note.empty()) {
    const audit::CheckpointView view =
        TRY_AT("/v1/audit/checkpoint", audit::VerifyCheckpoint(note, identity.audit_key));
    checkpoint = codec::Json::Object({{"origin", view.origin},
                                      {"size", view.size},
                                      {"root", crypto::DigestText(view.root)},
                                      {"note", note}});
  }
  if (options.format == "json") {
    context.PrintJson(codec::Json::Object({{"identity", answer},
                                           {"wrappingKeyThumbprint", identity.wrapping_key.Thumbprint()},
                                           {"signingKeyThumbprint", identity.signing_key.Thumbprint()},
                                           {"checkpoint", std::move(checkpoint)}}));
    return Exit::kDone;
  }
  context.out() << "version       " << Printable(identity.version) << "\nguest URL     "
                << Printable(identity.guest_url) << "\nwrapping key  " << identity.wrapping_key.Thumbprint()
                << "\nsigning key   " << identity.signing_key.Thumbprint() << "\naudit log     "
                << Printable(identity.audit_origin);
  if (checkpoint.is_null())
    context.out() << ", no checkpoint yet\n";
  else
    context.out() << ", " << *checkpoint.Find("size")->if_int64() << " rows, root "
                  << checkpoint.TextAt({"root"}) << ", checkpoint signed\n";
  return Exit::kDone;
}

}  // namespace

void AddBrokerCommands(CLI::App& program, Context& context) {
  const auto list = std::make_shared<BrokerCommandOptions>();
  CLI::App* const releases =
      program.add_subcommand("releases", "List which pods hold which key, and why not");
  releases->add_option("--namespace", list->namespace_name, "Only pods of this namespace")->type_name("NAME");
  AddOutputOption(*releases, list->format, {"text", "json"});
  AddBrokerOptions(*releases, list->broker);
  releases->footer(R"(Examples:
  portcullis releases --kbs https://kbs:8444 --ca ca.pem --cert me.pem --client-key me.key
  portcullis releases --namespace team-a -o json)");
  releases->callback([list, &context] { context.Finish(PrintReleases(*list, context), list->format); });

  const auto options = std::make_shared<BrokerCommandOptions>();
  CLI::App* const kbs = program.add_subcommand("kbs", "Look at a broker");
  kbs->require_subcommand(1);
  CLI::App* const status = kbs->add_subcommand(
      "status", "Show a broker's keys and the head of its audit log, with its signature checked");
  AddOutputOption(*status, options->format, {"text", "json"});
  AddBrokerOptions(*status, options->broker);
  status->footer(R"(Examples:
  portcullis kbs status --kbs https://kbs:8444 --ca ca.pem --cert me.pem --client-key me.key
  portcullis kbs status -o json > kbs-status.json)");
  status->callback([options, &context] { context.Finish(PrintStatus(*options, context), options->format); });
}

}  // namespace portcullis::cli

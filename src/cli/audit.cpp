#include <CLI/CLI.hpp>
#include <ostream>

#include "audit/file.h"
#include "cli/broker.h"
#include "cli/commands.h"
#include "cli/documents.h"
#include "cli/files.h"
#include "cli/identity.h"
#include "codec/text.h"

namespace portcullis::cli {
namespace {

constexpr std::size_t kMaxNoteBytes = 16 * 1024;
constexpr std::string_view kSqliteHeader = "SQLite format 3";

// What `audit verify` ends with, beside usage errors; docs/reference/cli.md.
constexpr Exit kBroken = Exit::kOurFault;
constexpr Exit kIncomplete = Exit::kDenied;

struct VerifyOptions {
  std::string log, key, format;
  std::vector<std::string> since;
};

/// The log's public key: base64, or a file that holds that or a broker's identity.
Result<crypto::Ed25519PublicKey> ReadAuditKey(const std::string& text, const CliPorts& ports) {
  if (const auto direct = codec::DecodeBase64(text);
      direct && direct->size() == crypto::Ed25519PublicKey::kSize)
    return crypto::Ed25519PublicKey::From(*direct);
  std::string content = TRY(ReadFile(text, kMaxNoteBytes));
  if (content.starts_with('{')) {
    const codec::Json identity = TRY(ReadDocument(text, ports));
    return TRY_AT(Quoted(text), ParseIdentity(identity)).audit_key;
  }
  while (content.ends_with('\n')) content.pop_back();
  const auto bytes = codec::DecodeBase64(content);
  if (!bytes || bytes->size() != crypto::Ed25519PublicKey::kSize)
    return Error{ReasonCode::kRequestMalformed,
                 "must hold the audit key, 32 bytes in base64, or a broker's identity",
                 "--key " + Quoted(text)};
  return crypto::Ed25519PublicKey::From(*bytes);
}

Result<audit::VerifyReport> VerifyLog(const VerifyOptions& options, const CliPorts& ports) {
  const crypto::Ed25519PublicKey key = TRY(ReadAuditKey(options.key, ports));
  std::vector<std::string> checkpoints;
  for (const std::string& path : options.since) checkpoints.push_back(TRY(ReadFile(path, kMaxNoteBytes)));
  const std::string head = TRY(ReadHead(options.log, kSqliteHeader.size()));
  return head == kSqliteHeader ? audit::VerifyDatabase(options.log, key, checkpoints)
                               : audit::VerifyJsonLines(options.log, key, checkpoints);
}

void PrintReport(const audit::VerifyReport& report, const Context& context) {
  std::ostream& out = context.out();
  if (!report.intact) {
    out << context.Paint(Colour::kBad, "BROKEN") << ": " << Printable(report.problem);
    if (report.first_bad > 0) out << " (first bad row: " << report.first_bad << ")";
    out << "\n";
    return;
  }
  if (report.rows > 0 && report.signed_rows == 0) {
    out << context.Paint(Colour::kBad, "INCOMPLETE") << ": " << report.rows
        << " rows in an unbroken chain, but no checkpoint signs any; give one with --since\n";
    return;
  }
  out << context.Paint(Colour::kGood, "intact") << ": " << report.rows << " rows";
  if (report.signed_rows < report.rows)
    out << ", the last " << report.rows - report.signed_rows << " not yet under a checkpoint";
  out << "\n";
}

Result<Exit> Verify(const VerifyOptions& options, const Context& context) {
  const audit::VerifyReport report = TRY(VerifyLog(options, context.ports()));
  if (options.format == "json")
    context.PrintJson(codec::Json::Object({{"intact", report.intact},
                                           {"rows", report.rows},
                                           {"signedRows", report.signed_rows},
                                           {"firstBad", report.first_bad},
                                           {"problem", report.problem}}));
  else
    PrintReport(report, context);
  if (!report.intact) return kBroken;
  return report.rows > 0 && report.signed_rows == 0 ? kIncomplete : Exit::kDone;
}

struct TailOptions {
  BrokerOptions broker;
  std::string format;
  std::int64_t after = 0, limit = 100;
  bool follow = false;
};

/// One canonical row, as text or as it is. The row's sequence.
Result<std::int64_t> PrintRow(std::string_view line, const TailOptions& options, const Context& context) {
  const codec::Json row = TRY(codec::ParseJson(line));
  const codec::Json* const number = row.Find("sequence");
  const auto sequence = number == nullptr ? std::nullopt : number->if_int64();
  if (!sequence) return Error{ReasonCode::kRequestMalformed, "must be an integer", "sequence"};
  if (options.format == "json") {
    context.out() << line << "\n";
    return *sequence;
  }
  const std::string_view verdict = row.TextAt({"entry", "verdict"});
  context.out() << *sequence << "  " << Printable(row.TextAt({"time"})) << "  "
                << Printable(row.TextAt({"entry", "kind"})) << "  ";
  if (!verdict.empty())
    context.out() << context.Paint(verdict == "allow" ? Colour::kGood : Colour::kBad, Printable(verdict))
                  << "  ";
  for (const std::string_view member : {"reason", "subject", "resource"})
    if (const std::string_view text = row.TextAt({"entry", member}); !text.empty())
      context.out() << Printable(text) << "  ";
  context.out() << "\n";
  return *sequence;
}

/// Prints the rows after `after`, page by page; the last sequence printed.
Result<std::int64_t> PrintRowsAfter(std::int64_t after, const Broker& broker, const TailOptions& options,
                                    const Context& context) {
  for (;;) {
    const std::string page = TRY(
        broker.Get("/v1/audit?after=" + std::to_string(after) + "&limit=" + std::to_string(options.limit)));
    std::int64_t rows = 0;
    for (std::string_view rest = page; !rest.empty(); ++rows) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      const std::int64_t sequence = TRY_AT("/v1/audit", PrintRow(rest.substr(0, end), options, context));
      if (sequence != after + 1)
        return Error{ReasonCode::kConflict, "a row of the audit log is missing",
                     "after " + std::to_string(after)};
      after = sequence;
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    context.out().flush();
    if (rows < options.limit) return after;
  }
}

Result<Exit> Tail(const TailOptions& options, const Context& context) {
  const Broker broker = TRY(Broker::Connect(options.broker, context.ports()));
  std::int64_t after = TRY(PrintRowsAfter(options.after, broker, options, context));
  while (options.follow) {
    // The long poll returns at the next decision, or after its time: then other rows may be there.
    TRY(broker.Get("/v1/decisions?after=" + std::to_string(after) + "&wait=20&limit=1"));
    after = TRY(PrintRowsAfter(after, broker, options, context));
  }
  return Exit::kDone;
}

void AddVerify(CLI::App& audit, Context& context) {
  const auto options = std::make_shared<VerifyOptions>();
  CLI::App* const verify = audit.add_subcommand(
      "verify",
      "Find a changed, missing, reordered or (given an older checkpoint) truncated row of an audit log");
  verify->add_option("log", options->log, "The broker's SQLite database, or rows as JSON lines")
      ->required()
      ->type_name("FILE");
  verify
      ->add_option("--key", options->key, "The log's public key: base64, or a file with that or the identity")
      ->required()
      ->type_name("KEY|FILE");
  verify->add_option("--since", options->since, "A checkpoint kept elsewhere; may be repeated")
      ->type_name("FILE");
  AddOutputOption(*verify, options->format, {"text", "json"});
  verify->footer(R"(Exit codes:
  0 intact   1 broken, with the first bad row   2 usage   3 incomplete: no checkpoint signs the rows

Examples:
  portcullis audit verify kbs.db --key kbs-identity.json
  portcullis audit verify audit.jsonl --key "$AUDIT_KEY" --since checkpoint-of-last-week.txt -o json)");
  verify->callback([options, &context] { context.Finish(Verify(*options, context), options->format); });
}

void AddTail(CLI::App& audit, Context& context) {
  const auto options = std::make_shared<TailOptions>();
  CLI::App* const tail =
      audit.add_subcommand("tail", "Print a broker's audit rows; -o json prints them as JSON lines");
  tail->add_option("--after", options->after, "Begin after this sequence")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str()
      ->type_name("SEQ");
  tail->add_flag("--follow", options->follow, "Stay and print rows as they come");
  AddOutputOption(*tail, options->format, {"text", "json"});
  AddBrokerOptions(*tail, options->broker);
  tail->footer(R"(Examples:
  portcullis audit tail --after 1200 --follow
  portcullis audit tail -o json > audit.jsonl)");
  tail->callback([options, &context] { context.Finish(Tail(*options, context), options->format); });
}

}  // namespace

void AddAuditCommands(CLI::App& program, Context& context) {
  CLI::App* const audit = program.add_subcommand("audit", "Verify and read the audit log");
  audit->require_subcommand(1);
  AddVerify(*audit, context);
  AddTail(*audit, context);
}

}  // namespace portcullis::cli

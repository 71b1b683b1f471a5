#include <CLI/CLI.hpp>
#include <ostream>

#include "cli/commands.h"

namespace portcullis::cli {
namespace {

struct ReasonsOptions {
  std::string code, format;
  bool markdown = false;
};

std::vector<const Reason*> AllReasons() {
  std::vector<const Reason*> out;
  for (std::size_t i = 0; i < kReasonCount; ++i) out.push_back(&ReasonFor(static_cast<ReasonCode>(i)));
  return out;
}

codec::Json ToJson(const Reason& reason) {
  return codec::Json::Object({{"code", reason.name},
                              {"category", NameOf(reason.category)},
                              {"retryable", reason.retryable},
                              {"message", reason.message},
                              {"remedy", reason.remedy},
                              {"docs", DocsAnchor(reason.code)}});
}

void PrintOne(const Reason& reason, const Context& context) {
  context.out() << context.Paint(Colour::kBold, reason.name) << "\n"
                << "  category   " << NameOf(reason.category) << "\n"
                << "  retryable  " << (reason.retryable ? "yes, the same input can succeed later" : "no")
                << "\n"
                << "  what       " << reason.message << "\n"
                << "  fix        " << reason.remedy << "\n"
                << "  docs       " << DocsAnchor(reason.code) << "\n";
}

void PrintTable(std::ostream& out) {
  std::vector<std::vector<std::string>> rows = {{"CODE", "CATEGORY", "RETRYABLE", "MESSAGE"}};
  for (const Reason* reason : AllReasons())
    rows.push_back({std::string(reason->name), std::string(NameOf(reason->category)),
                    reason->retryable ? "yes" : "no", std::string(reason->message)});
  out << Table(rows);
}

void PrintMarkdown(std::ostream& out) {
  out << "# Reason codes\n\n"
         "Every way Portcullis says no. The word is the same in the HTTP problem body, the condition and "
         "Event, the\n"
         "metric label, the audit row and the terminal. A code is never reused and never changes its "
         "meaning.\n"
         "Retryable: the same input can succeed later without anybody changing it.\n\n"
         "This page is what `portcullis reasons --markdown` prints.\n";
  std::string_view category;
  for (const Reason* reason : AllReasons()) {
    if (NameOf(reason->category) != category) {
      category = NameOf(reason->category);
      out << "\n## Category: " << category << "\n";
    }
    out << "\n### " << reason->name << "\n"
        << reason->message << "\n\n"
        << "Fix: " << reason->remedy << " Retryable: " << (reason->retryable ? "yes" : "no") << ".\n";
  }
}

Result<Exit> PrintReasons(const ReasonsOptions& options, const Context& context) {
  if (!options.code.empty()) {
    const auto code = ReasonNamed(options.code);
    if (!code)
      return Error{ReasonCode::kConfigurationInvalid, "is no reason code; portcullis reasons lists them",
                   Quoted(options.code)};
    if (options.format == "json")
      context.PrintJson(ToJson(ReasonFor(*code)));
    else
      PrintOne(ReasonFor(*code), context);
    return Exit::kDone;
  }
  if (options.markdown) {
    PrintMarkdown(context.out());
  } else if (options.format == "json") {
    codec::JsonArray all;
    for (const Reason* reason : AllReasons()) all.push_back(ToJson(*reason));
    context.PrintJson(all);
  } else {
    PrintTable(context.out());
  }
  return Exit::kDone;
}

}  // namespace

void AddReasonsCommand(CLI::App& program, Context& context) {
  const auto options = std::make_shared<ReasonsOptions>();
  CLI::App* const reasons = program.add_subcommand(
      "reasons", "Explain a reason code, or list all: what happened and what to change");
  auto* const code =
      reasons->add_option("code", options->code, "A code, such as DebugEnabled")->type_name("CODE");
  AddOutputOption(*reasons, options->format, {"text", "json"});
  reasons->add_flag("--markdown", options->markdown, "Print docs/reference/reasons.md")->excludes(code);
  reasons->footer(R"(Examples:
  portcullis reasons
  portcullis reasons DebugEnabled -o json)");
  reasons->callback(
      [options, &context] { context.Finish(PrintReasons(*options, context), options->format); });
}

}  // namespace portcullis::cli

#include "cli/cli.h"

#include <CLI/CLI.hpp>

#include "cli/commands.h"

namespace portcullis::cli {
namespace {

constexpr const char* kExitCodes = R"(Exit codes:
  0 done or allowed   1 our fault   2 usage   3 denied   4 malformed input   5 unreachable

Examples:
  portcullis verify snp --report report.bin --cert vcek.der -o json
  portcullis key generate --out authority.pem --public authority.pub
  portcullis policy sign --key authority.pem --in policy.yaml | kubectl apply -f -
  portcullis reasons DebugEnabled)";

}  // namespace

int RunCli(int argc, const char* const* argv, const CliPorts& ports) {
  Context context(ports);
  CLI::App program("Attested key release for confidential workloads: the key owner's desk.", "portcullis");
  program.set_version_flag("--version", "portcullis 0.1.0");
  program.require_subcommand(1);
  program.footer(kExitCodes);
  AddVerifyCommands(program, context);
  AddMeasureCommands(program, context);
  AddKeyCommands(program, context);
  AddPolicyCommands(program, context);
  AddAuditCommands(program, context);
  AddCollateralCommands(program, context);
  AddBrokerCommands(program, context);
  AddReasonsCommand(program, context);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool asked_for = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success);
    program.exit(error, ports.out, ports.err);
    return static_cast<int>(asked_for ? Exit::kDone : Exit::kUsage);
  }
  return static_cast<int>(context.exit());
}

}  // namespace portcullis::cli

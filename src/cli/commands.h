#pragma once

#include "cli/context.h"

/// One function a group of subcommands, each in a file of its name. `context` outlives the parsing.
namespace portcullis::cli {

void AddVerifyCommands(CLI::App& program, Context& context);      // verify snp, tdx, attestation
void AddMeasureCommands(CLI::App& program, Context& context);     // measure snp, tdx
void AddKeyCommands(CLI::App& program, Context& context);         // key generate, key wrap
void AddPolicyCommands(CLI::App& program, Context& context);      // policy sign, explain, verify
void AddAuditCommands(CLI::App& program, Context& context);       // audit verify, tail
void AddCollateralCommands(CLI::App& program, Context& context);  // collateral fetch, status, import, export
void AddBrokerCommands(CLI::App& program, Context& context);      // releases, kbs status
void AddReasonsCommand(CLI::App& program, Context& context);      // reasons

}  // namespace portcullis::cli

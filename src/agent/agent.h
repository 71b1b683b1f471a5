#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "agent/files.h"
#include "agent/vtpm.h"
#include "base/clock.h"
#include "base/random.h"
#include "http/client.h"

namespace portcullis::agent {

/// What the agent touches outside itself.
struct AgentPorts {
  Files& files;
  const Clock& clock;
  Random& random;
  std::function<Result<std::shared_ptr<http::Client>>(const http::ClientOptions&)> connect;
  std::function<void(std::chrono::milliseconds)> sleep;
  /// The vTPM of an Azure VM, asked for where there is no configfs-tsm; empty: such guests aren't served.
  std::function<Result<std::unique_ptr<Vtpm>>()> open_vtpm = {};
};

/// The agent's command line: `fetch` writes the key to a file on tmpfs, `exec -- COMMAND` hands it to a
/// command. Returns the exit code of docs/reference/api.md; when refused, exactly one line on stderr says why
/// and what to do.
int AgentMain(int argc, char** argv, const AgentPorts& ports);

}  // namespace portcullis::agent

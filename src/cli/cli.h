#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/secret_bytes.h"
#include "evidence/snp/chain.h"
#include "evidence/tdx/checks.h"
#include "http/client.h"

namespace portcullis::cli {

/// What `portcullis` touches of the outside, beside files named on its command line.
struct CliPorts {
  std::ostream& out;
  std::ostream& err;
  /// All of standard input, at most `max_bytes`: a key or a document. Error: RequestMalformed where it is
  /// more.
  std::function<Result<SecretBytes>(std::size_t max_bytes)> read_input;
  bool colour;  // `out` is a terminal whose owner has not set NO_COLOR
  const Clock& clock;
  Random& random;
  const snp::TrustAnchors& anchors;
  const tdx::TrustAnchors& tdx_anchors;
  std::function<Result<std::shared_ptr<http::Client>>(const http::ClientOptions&)> connect;
  bool progress;  // `err` is a terminal: long commands say there how far they are
  std::function<void(std::chrono::seconds)> pause;
};

/// Runs one command line and returns the exit code (exit.h). Errors go to `err` with code, place and remedy.
int RunCli(int argc, const char* const* argv, const CliPorts& ports);

}  // namespace portcullis::cli

#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <thread>

#include "base/clock.h"
#include "base/secret_bytes.h"
#include "cli/cli.h"
#include "cli/exit.h"
#include "cli/files.h"
#include "crypto/digest.h"

int main(int argc, char** argv) {
  using namespace portcullis;  // NOLINT: main stands in no namespace
  if (const auto hardened = HardenProcess(); !hardened) {
    std::cerr << "portcullis: " << hardened.error().ToString() << "\n";
    return static_cast<int>(cli::Exit::kOurFault);
  }
  const SystemClock clock;
  crypto::SystemRandom random;
  const cli::CliPorts ports{
      .out = std::cout,
      .err = std::cerr,
      .read_input = [](std::size_t max_bytes) { return cli::ReadDescriptor(STDIN_FILENO, max_bytes); },
      .colour = isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr,
      .clock = clock,
      .random = random,
      .anchors = snp::AmdTrustAnchors(),
      .tdx_anchors = tdx::IntelTrustAnchors(),
      .connect = http::Client::Create,
      .progress = isatty(STDERR_FILENO) == 1,
      .pause = [](std::chrono::seconds time) { std::this_thread::sleep_for(time); },
  };
  return cli::RunCli(argc, argv, ports);
}

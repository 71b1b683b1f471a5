#include <thread>

#include "agent/agent.h"
#include "agent/tpm2/tpm2_vtpm.h"
#include "crypto/digest.h"

int main(int argc, char** argv) {
  using namespace portcullis;  // NOLINT: main stands in no namespace
  agent::SystemFiles files;
  const SystemClock clock;
  crypto::SystemRandom random;
  return agent::AgentMain(argc, argv,
                          {files, clock, random, http::Client::Create,
                           [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); },
                           [] { return agent::OpenVtpm(); }});
}

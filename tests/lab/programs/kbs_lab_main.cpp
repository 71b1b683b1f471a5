// The broker with the lab's roots in place of AMD's. Roots can be injected only here, in a main of the lab;
// the production executable has no such code.
#include <cstdlib>

#include "kbs/app.h"
#include "tests/lab/snp_lists.h"

namespace {

using portcullis::Result;

/// The lists are made anew at each start, so that they are current for as long as a broker of the lab runs.
Result<portcullis::kbs::Trust> LabTrust(const std::filesystem::path& folder) {
  const auto pki = TRY(portcullis::lab::LabPki::Load(folder));
  const portcullis::WallTime now = portcullis::SystemClock().Now();
  return portcullis::kbs::Trust{pki.anchors(), std::make_shared<portcullis::lab::LabLists>(pki, now)};
}

}  // namespace

int main(int argc, char** argv) {
  return portcullis::kbs::BrokerMain(argc, argv, [] {
    const char* folder = std::getenv("PORTCULLIS_LAB_PKI");
    return LabTrust(folder == nullptr ? "" : folder);
  });
}
